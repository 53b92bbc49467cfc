"""Improvements that alerts of quality found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "indicator_improvements",
        sa.Column("improvement_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("alert_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("baseline", sa.Float, nullable=False),
        sa.Column("goal", sa.Float, nullable=False),
        sa.Column("measured", sa.Float),
        sa.Column("done", sa.Text, nullable=False),
        sa.Column("standardised_as", sa.Text, nullable=False),
        sa.Column("standardised_note", sa.Text, nullable=False),
    )
