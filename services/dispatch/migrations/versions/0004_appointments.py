"""Planned shifts, reservations of slots, and work orders with an appointed time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)
LIVE = sa.text("state IN ('booked', 'held')")


def upgrade() -> None:
    op.add_column("work_orders", sa.Column("window_start", TIME))
    op.add_column("work_orders", sa.Column("window_end", TIME))
    op.create_table(
        "engineer_shifts",
        sa.Column("shift_id", sa.Uuid, primary_key=True),
        sa.Column("engineer_id", sa.Uuid, sa.ForeignKey("engineers.engineer_id"), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_index("ix_engineer_shifts_engineer_id", "engineer_shifts", ["engineer_id"])
    op.create_index("engineer_shifts_by_end", "engineer_shifts", ["ends_at"])
    op.create_table(
        "reservations",
        sa.Column("reservation_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("skill", sa.String, nullable=False),
        sa.Column("level", sa.String, nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("window_end", TIME, nullable=False),
        sa.Column("engineer_id", sa.Uuid, nullable=False),
        sa.Column("held_by", sa.String, nullable=False),
        sa.Column("held_until", TIME, nullable=False),
        sa.Column("appointment_id", sa.Uuid),
        sa.Column("work_order_id", sa.Uuid),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_exclude_constraint(
        "one_visit_per_engineer_and_slot",
        "reservations",
        ("engineer_id", "="),
        ("window_start", "="),
        using="btree",
        where=LIVE,
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_index("live_reservations_in_slot", "reservations", ["window_start"], postgresql_where=LIVE)
    op.create_index("live_reservations_of_case", "reservations", ["case_id"], postgresql_where=LIVE)
    op.create_index("reservations_of_work_order", "reservations", ["work_order_id"])
