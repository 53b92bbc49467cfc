"""Records tell what was filed: a case or a complaint."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Everything before was a case, and so is what the version before still files.
    op.add_column("record_heads", sa.Column("record_class", sa.Text, nullable=False, server_default="service_case"))
