"""The key that a case's result is sealed with before intake is told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("complaints", sa.Column("case_sealing_key", sa.LargeBinary, nullable=False, server_default=""))
