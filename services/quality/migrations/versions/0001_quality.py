"""What is remembered of events, contributions to figures, alerts and reports."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from servicekit.database.partitions import create_default_partition
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kit_tables(op)
    _create_generations()
    _create_observations()
    _create_contributions()
    _create_alerts()
    _create_reports()


def _create_generations() -> None:
    op.create_table(
        "quality_generations",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("standards_hash", sa.Text, nullable=False),
    )
    op.create_index(
        "quality_living_generations",
        "quality_generations",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state <> 'retired'"),
    )
    op.execute("INSERT INTO quality_generations VALUES (1, 'live', '')")


def _create_observations() -> None:
    op.create_table(
        "quality_observations",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    create_default_partition(op, "quality_observations")
    op.create_index("quality_observations_of_subject", "quality_observations", ["generation", "subject_id"])
    op.create_table(
        "quality_changes",
        sa.Column("change_id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
    )


def _create_contributions() -> None:
    op.create_table(
        "quality_contributions",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("indicator", sa.Text, primary_key=True),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("dimensions", JSONB, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "quality_contributions")
    op.create_index("quality_contributions_of_subject", "quality_contributions", ["generation", "subject_id"])


def _create_alerts() -> None:
    op.create_table(
        "quality_alerts",
        sa.Column("alert_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("responsible", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("value", sa.Numeric, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("standards_version", sa.Text, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("cleared_at", TIME),
        sa.Column("improvement_id", sa.Uuid, unique=True),
        sa.Column("improvement_state", sa.Text, nullable=False),
        sa.Column("improvement_version", sa.Integer, nullable=False),
    )
    op.create_index(
        "quality_one_open_alert",
        "quality_alerts",
        ["indicator", "region"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )


def _create_reports() -> None:
    op.create_table(
        "quality_reports",
        sa.Column("report_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False, unique=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("standards_version", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.Column("lines", JSONB, nullable=False),
    )
