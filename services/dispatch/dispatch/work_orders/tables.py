"""Where work orders and their history are stored."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from dispatch.work_orders.work_order import State, WorkOrder

# The sequence behind work order numbers.
NUMBERS = "work_order_numbers"


class WorkOrderRow(WorkOrder, table=True):
    """One work order."""

    __tablename__ = "work_orders"
    __table_args__ = (
        # Whoever becomes free looks here: the most urgent first, then the oldest.
        Index(
            "work_orders_waiting",
            "skill",
            "priority",
            "created_at",
            postgresql_where=text(f"state = '{State.WAITING}'"),
        ),
        Index("work_orders_of_engineer", "engineer_id", "work_order_id"),
        Index("work_orders_in_region", "region", "work_order_id", postgresql_ops={"region": "text_pattern_ops"}),
    )


class HistoryRow(SQLModel, table=True):
    """One thing that happened to a work order and who did it. Append-only; partitioned by month (DSP-03)."""

    __tablename__ = "work_order_history"
    __table_args__ = {"postgresql_partition_by": "RANGE (at)"}

    work_order_id: UUID = Field(primary_key=True)
    # Version of the work order after it.
    version: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    # Past-tense name, such as `work_order_assigned`.
    happened: str
    # User id, or `system`.
    actor: str
    state: str
    details: dict[str, str] = Field(sa_type=JSONB)


WORK_ORDERS = WorkOrderRow.__table__  # type: ignore[attr-defined]
HISTORY = HistoryRow.__table__  # type: ignore[attr-defined]
# Tables that are made month by month, each with its time column.
PARTITIONED = {"work_order_history": "at"}
