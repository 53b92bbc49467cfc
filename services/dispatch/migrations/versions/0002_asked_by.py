"""Work orders know which service asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Everything before was asked by intake, and so is what the version before still creates.
    op.add_column("work_orders", sa.Column("asked_by", sa.Text, nullable=False, server_default="intake"))
