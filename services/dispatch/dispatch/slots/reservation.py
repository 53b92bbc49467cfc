"""One place in one slot: its states, and every fact that is kept about it (DSP-05)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from servicekit.windows import Window
from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """How far it has come; the words behind the contract's ReservationState."""

    HELD = "held"
    BOOKED = "booked"
    FULFILLED = "fulfilled"
    EXPIRED = "expired"
    RELEASED = "released"
    FAILED = "failed"


# These take up an engineer's time.
LIVE = frozenset({State.HELD, State.BOOKED})


class Reservation(SQLModel):
    """A reservation as a value. `ReservationRow` stores exactly these fields."""

    reservation_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    case_id: UUID
    # What the visit needs.
    region: str
    skill: str
    level: str
    window_start: datetime = Field(sa_type=UTC_TIME)
    window_end: datetime = Field(sa_type=UTC_TIME)
    # Who is planned to make the visit; each engineer makes one in a slot.
    engineer_id: UUID
    # The user id of whoever asked for it.
    held_by: str
    held_until: datetime = Field(sa_type=UTC_TIME)
    # What it was booked for.
    appointment_id: UUID | None = None
    work_order_id: UUID | None = None
    created_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def window(self) -> Window:
        return Window(self.window_start, self.window_end)
