"""Incidents as intake knows them, and the cases that follow them (INT-15)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("incident_id", sa.Uuid))
    op.add_column("cases", sa.Column("detached_from", sa.Uuid))
    op.create_index(
        "cases_of_incident",
        "cases",
        ["incident_id", "case_id"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.create_index(
        "cases_sighted",
        "cases",
        ["region", "category", "accepted_at"],
        postgresql_where=sa.text("kind = 'fault_repair' AND closed_at IS NULL AND incident_id IS NULL"),
    )
    op.create_table(
        "outages",
        sa.Column("incident_id", sa.Uuid, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("categories", ARRAY(sa.Text), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("restoration", sa.Text, nullable=False),
        sa.Column("restored_at", TIME),
    )
    op.create_index(
        "outages_ongoing",
        "outages",
        ["incident_id"],
        postgresql_where=sa.text("state IN ('asked', 'open')"),
    )
