"""Cases with their history and texts, and customers."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from servicekit.database.partitions import create_default_partition
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables(op)
    op.execute("CREATE SEQUENCE case_number_serial")
    _create_customers()
    _create_cases()
    _create_history()
    _create_texts()


def _create_customers() -> None:
    op.create_table(
        "customers",
        sa.Column("customer_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("sealed_name", sa.LargeBinary()),
        sa.Column("sealed_phone", sa.LargeBinary()),
        sa.Column("sealed_email", sa.LargeBinary()),
        sa.Column("phone_index", sa.LargeBinary(), unique=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("case_number", sa.String(), nullable=False, unique=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("identity_check", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_description", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_kind", sa.String(), nullable=False),
        sa.Column("proposed_category", sa.String(), nullable=False),
        sa.Column("proposed_urgency", sa.String(), nullable=False),
        sa.Column("proposed_confidence", sa.Float(), nullable=False),
        sa.Column("proposed_evidence", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("classification_confirmed", sa.Boolean(), nullable=False),
        sa.Column("response_clock", sa.String(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("handler", sa.String(), nullable=False),
        sa.Column("handler_user_id", sa.String(), nullable=False),
        sa.Column("handler_name", sa.String(), nullable=False),
        sa.Column("work_order_id", sa.Uuid()),
        sa.Column("work_order_version", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("confirmation", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("survey_sent_at", sa.DateTime(timezone=True)),
        sa.Column("satisfaction", sa.SmallInteger(), nullable=False),
        sa.Column("reopened_times", sa.Integer(), nullable=False),
        sa.Column("repeat_of", sa.Uuid()),
        sa.Column("waiting_for_customer", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_entered_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("record_id", sa.Uuid()),
    )
    op.create_index("cases_of_customer", "cases", ["customer_id", "case_id"])
    op.create_index("cases_in_stage", "cases", ["stage", "case_id"])
    op.create_index("cases_of_owner", "cases", ["owner", "case_id"])
    op.create_index("cases_of_handler", "cases", ["handler", "case_id"], postgresql_where=sa.text("handler <> ''"))
    op.create_index("cases_in_region", "cases", ["region", "case_id"], postgresql_ops={"region": "text_pattern_ops"})


def _create_history() -> None:
    op.create_table(
        "case_history",
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("entry_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("happened", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("details", JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "case_history")
    op.create_index("case_history_of_case", "case_history", ["case_id", "at"])


def _create_texts() -> None:
    op.create_table(
        "case_texts",
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("text_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("inbound", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "case_texts")
    op.create_index("case_texts_of_case", "case_texts", ["case_id", "at"])
    op.create_index("case_texts_by_id", "case_texts", ["text_id"])
