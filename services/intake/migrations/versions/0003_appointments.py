"""Appointments, and the appointed time of a case's visit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("appointed_from", TIME))
    op.add_column("cases", sa.Column("appointed_until", TIME))
    op.create_table(
        "appointments",
        sa.Column("appointment_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("booked_by", sa.String(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("moving_to", sa.Uuid()),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("moved_times", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("alternatives", JSONB(), nullable=False),
        sa.Column("prepared_by", sa.String(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("prepared_at", TIME),
        sa.Column("reminded_at", TIME),
        sa.Column("ended_at", TIME),
    )
    op.create_index("appointments_of_case", "appointments", ["case_id", "appointment_id"])
    op.create_index("appointments_of_work_order", "appointments", ["work_order_id"])
    op.create_index(
        "one_live_appointment_per_case",
        "appointments",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('confirmed', 'initialized')"),
    )
