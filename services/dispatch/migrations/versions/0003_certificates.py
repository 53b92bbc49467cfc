"""What training has certified, and which qualification rests on which certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "known_certificates",
        sa.Column("certificate_id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_index("known_certificates_of_user", "known_certificates", ["user_id", "skill"])
    op.add_column("qualifications", sa.Column("certificate_id", sa.Uuid))
    op.create_index("ix_qualifications_certificate_id", "qualifications", ["certificate_id"])
