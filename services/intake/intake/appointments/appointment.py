"""The appointment itself: its states, and every fact that is kept about it (INT-09)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from bihuan.common.v1.common_pb2 import TimePeriod
from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """How far it has come; the words behind the contract's AppointmentState."""

    INITIALIZED = "initialized"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


# The case has no other appointment meanwhile.
LIVE = frozenset({State.INITIALIZED, State.CONFIRMED})


class Appointment(SQLModel):
    """An appointment as a value. `AppointmentRow` stores exactly these fields."""

    appointment_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    case_id: UUID
    # How it was made (INT-09): by phone, online, at the counter.
    channel: str
    # Who checked customer and content, and booked it; `customer` for customers themselves.
    booked_by: str
    # What the visit needs.
    skill: str
    level: str
    work_order_id: UUID
    # The slot at dispatch, and the one that the customer wants instead.
    reservation_id: UUID
    moving_to: UUID | None = None
    # The appointed time; None until dispatch has confirmed it.
    starts_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    ends_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    moved_times: int = 0
    # Dispatch's code for why it failed, or why it could not be moved.
    reason: str = ""
    # The slots that could be had instead then; the contract's TimePeriod as JSON.
    alternatives: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    prepared_by: str = ""
    requested_at: datetime = Field(sa_type=UTC_TIME)
    confirmed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    prepared_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    reminded_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def period(self) -> TimePeriod:
        """The appointed time as the contracts write it; empty until it is confirmed."""
        return TimePeriod(start_date_time=self.starts_at, end_date_time=self.ends_at)
