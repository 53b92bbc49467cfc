"""Incidents with their history, and the alarms that they may come from."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.partitions import create_default_partition
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("CREATE SEQUENCE incident_numbers")
    _create_incidents()
    _create_history()
    _create_alarms()


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.Uuid, primary_key=True),
        sa.Column("incident_number", sa.String, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("categories", ARRAY(sa.Text), nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("commander", sa.String, nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("restoration", sa.Text, nullable=False),
        sa.Column("lessons", sa.Text, nullable=False),
        sa.Column("dismissal", sa.Text, nullable=False),
        sa.Column("reported_at", TIME, nullable=False),
        sa.Column("acknowledged_at", TIME),
        sa.Column("analysed_at", TIME),
        sa.Column("isolated_at", TIME),
        sa.Column("restored_at", TIME),
        sa.Column("closed_at", TIME),
    )
    op.create_index(
        "incidents_ongoing",
        "incidents",
        ["region"],
        postgresql_where=sa.text("state IN ('acknowledged', 'analysed', 'isolated', 'reported')"),
    )
    op.create_index(
        "incidents_in_region", "incidents", ["region", "incident_id"], postgresql_ops={"region": "text_pattern_ops"}
    )


def _create_history() -> None:
    op.create_table(
        "incident_history",
        sa.Column("incident_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("happened", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "incident_history")


def _create_alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source_system_id", sa.String, nullable=False),
        sa.Column("external_alarm_id", sa.String, nullable=False),
        sa.Column("alarm_type", sa.String, nullable=False),
        sa.Column("perceived_severity", sa.String, nullable=False),
        sa.Column("probable_cause", sa.String, nullable=False),
        sa.Column("specific_problem", sa.Text, nullable=False),
        sa.Column("alarmed_object", sa.String, nullable=False),
        sa.Column("affected_services", ARRAY(sa.Text), nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("cleared_at", TIME),
        sa.Column("incident_id", sa.Uuid),
        sa.UniqueConstraint("source_system_id", "external_alarm_id", name="alarms_by_source"),
    )
    op.create_index("alarms_of_incident", "alarms", ["incident_id", "alarm_id"])
    op.create_index("alarms_in_region", "alarms", ["region", "alarm_id"], postgresql_ops={"region": "text_pattern_ops"})
