"""Whom work is for, and keys for what is written about them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "customer_keys",
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
    )
    op.add_column("work_orders", sa.Column("customer_id", sa.Uuid))
    op.add_column("work_orders", sa.Column("sealing_key", sa.LargeBinary, nullable=False, server_default=""))
