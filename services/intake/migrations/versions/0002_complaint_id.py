"""Cases know the complaint that they were handed to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("cases", sa.Column("complaint_id", sa.Uuid()))
