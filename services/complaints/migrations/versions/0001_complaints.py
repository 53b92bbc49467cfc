"""Complaints with all that belongs to them, and the complainants' keys."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from servicekit.database.partitions import create_default_partition
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kit_tables(op)
    op.execute("CREATE SEQUENCE complaint_numbers")
    op.create_table(
        "complainants",
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("erased_at", TIME),
    )
    _create_complaints()
    _create_history()
    _create_texts()
    _create_handling()
    _create_learning()


def _create_complaints() -> None:
    op.create_table(
        "complaints",
        sa.Column("complaint_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_number", sa.String, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("case_id", sa.Uuid),
        sa.Column("case_number", sa.String, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary, nullable=False),
        sa.Column("sealed_description", sa.LargeBinary, nullable=False),
        sa.Column("proposed_class", sa.String, nullable=False),
        sa.Column("proposed_severity", sa.String, nullable=False),
        sa.Column("proposed_confidence", sa.Float, nullable=False),
        sa.Column("proposed_evidence", ARRAY(sa.Text), nullable=False),
        sa.Column("complaint_class", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("classification_confirmed", sa.Boolean, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("handler", sa.String, nullable=False),
        sa.Column("leader", sa.String, nullable=False),
        sa.Column("person_concerned", sa.String, nullable=False),
        sa.Column("first_handled_at", TIME),
        sa.Column("handled_at", TIME),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("satisfaction", sa.SmallInteger, nullable=False),
        sa.Column("reopened_times", sa.Integer, nullable=False),
        sa.Column("repeat_of", sa.Uuid),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("record_id", sa.Uuid),
    )
    op.create_index("complaints_of_customer", "complaints", ["customer_id", "complaint_id"])
    op.create_index("complaints_in_stage", "complaints", ["stage", "complaint_id"])
    op.create_index(
        "complaints_in_region",
        "complaints",
        ["region", "complaint_id"],
        postgresql_ops={"region": "text_pattern_ops"},
    )


def _create_history() -> None:
    op.create_table(
        "complaint_history",
        sa.Column("at", TIME, primary_key=True),
        sa.Column("entry_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_id", sa.Uuid, nullable=False),
        sa.Column("happened", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "complaint_history")
    op.create_index("complaint_history_of_complaint", "complaint_history", ["complaint_id", "at"])


def _create_texts() -> None:
    op.create_table(
        "complaint_texts",
        sa.Column("at", TIME, primary_key=True),
        sa.Column("text_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("inbound", sa.Boolean, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "complaint_texts")
    op.create_index("complaint_texts_of_complaint", "complaint_texts", ["complaint_id", "at"])


def _create_handling() -> None:
    op.create_table(
        "remedies",
        sa.Column("remedy_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_id", sa.Uuid, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
    )
    op.create_table(
        "investigations",
        sa.Column("investigation_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_id", sa.Uuid, nullable=False, index=True),
        sa.Column("work_order_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_table(
        "dispute_stages",
        sa.Column("complaint_id", sa.Uuid, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("documents", JSONB, nullable=False),
    )


def _create_learning() -> None:
    op.create_table(
        "causes",
        sa.Column("complaint_id", sa.Uuid, primary_key=True),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("path", ARRAY(sa.Text), nullable=False),
        sa.Column("whys", ARRAY(sa.Text), nullable=False),
        sa.Column("clause", sa.Text, nullable=False),
        sa.Column("case_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("work_order_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("people", ARRAY(sa.Text), nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("analysed_by", sa.Text, nullable=False),
        sa.Column("analysed_at", TIME, nullable=False),
    )
    op.create_index("causes_by_cause", "causes", ["cause", "analysed_at"])
    op.create_table(
        "improvements",
        sa.Column("improvement_id", sa.Uuid, primary_key=True),
        sa.Column("complaint_id", sa.Uuid, nullable=False, index=True),
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
