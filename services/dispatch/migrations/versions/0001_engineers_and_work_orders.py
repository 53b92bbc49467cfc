"""Engineers, their qualifications, work orders and their history."""

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
    op.execute("CREATE SEQUENCE work_order_numbers")
    _create_engineers()
    _create_work_orders()
    _create_history()


def _create_engineers() -> None:
    op.create_table(
        "engineers",
        sa.Column("engineer_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False, unique=True),
        sa.Column("territory", sa.Text, nullable=False),
        sa.Column("on_shift", sa.Boolean, nullable=False),
        sa.Column("open_work_orders", sa.Integer, nullable=False),
        sa.Column("last_assigned_at", TIME),
        sa.Column("registered_at", TIME, nullable=False),
        sa.CheckConstraint("open_work_orders >= 0", name="load_not_negative"),
    )
    op.create_index("ix_engineers_territory", "engineers", ["territory"])
    op.create_table(
        "qualifications",
        sa.Column("engineer_id", sa.Uuid, sa.ForeignKey("engineers.engineer_id"), primary_key=True),
        sa.Column("skill", sa.Text, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.Column("revoked_reason", sa.Text, nullable=False),
    )
    op.create_index("qualifications_in_skill", "qualifications", ["skill", "engineer_id"])


def _create_work_orders() -> None:
    op.create_table(
        "work_orders",
        sa.Column("work_order_id", sa.Uuid, primary_key=True),
        sa.Column("work_order_number", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("case_number", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("engineer_id", sa.Uuid, sa.ForeignKey("engineers.engineer_id")),
        sa.Column("previous_engineer_id", sa.Uuid, sa.ForeignKey("engineers.engineer_id")),
        sa.Column("declined_by", ARRAY(sa.Uuid), nullable=False),
        sa.Column("assignment_reasons", ARRAY(sa.Text), nullable=False),
        sa.Column("reassigned_times", sa.Integer, nullable=False),
        sa.Column("report", JSONB),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("assigned_at", TIME),
        sa.Column("accepted_at", TIME),
        sa.Column("arrived_at", TIME),
        sa.Column("finished_at", TIME),
    )
    op.create_index("ix_work_orders_case_id", "work_orders", ["case_id"])
    op.create_index(
        "work_orders_waiting",
        "work_orders",
        ["skill", "priority", "created_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("work_orders_of_engineer", "work_orders", ["engineer_id", "work_order_id"])
    op.create_index(
        "work_orders_in_region",
        "work_orders",
        ["region", "work_order_id"],
        postgresql_ops={"region": "text_pattern_ops"},
    )


def _create_history() -> None:
    op.create_table(
        "work_order_history",
        sa.Column("work_order_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("happened", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    create_default_partition(op, "work_order_history")
