"""The work order itself: its states, and every fact that is kept about it (DSP-03)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from servicekit.windows import Window
from sqlalchemy import SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """How far a work order has come; the words behind the contract's WorkOrderState."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PLANNED = "planned"


# Somebody has it and has not set out: it can still be taken away without spoiling a visit.
NOT_STARTED = frozenset({State.ASSIGNED, State.ACCEPTED})
HELD = NOT_STARTED | {State.TRAVELLING, State.ON_SITE}
OPEN = HELD | {State.WAITING, State.PLANNED}


class WorkOrder(SQLModel):
    """A work order as a value: what rules read and return. `WorkOrderRow` stores exactly these fields."""

    work_order_id: UUID = Field(primary_key=True)
    work_order_number: str = Field(unique=True)
    version: int
    state: State = Field(sa_type=Text)
    # Of the case or complaint that it was asked for.
    case_id: UUID = Field(index=True)
    case_number: str
    # The service that asked, and hears of the outcome.
    asked_by: str = Field(default="intake", sa_type=Text, sa_column_kwargs={"server_default": "intake"})
    # Whom the work is for, and what the asker wants to be told sealed with; neither is known of older ones.
    customer_id: UUID | None = None
    sealing_key: bytes = Field(default=b"", sa_column_kwargs={"server_default": ""})
    region: str
    skill: str
    level: str
    # 1 (highest) to 5.
    priority: int = Field(sa_type=SmallInteger)

    # The appointed time, where there is one: whoever gets it is able to keep that (DSP-05).
    window_start: datetime | None = Field(default=None, sa_type=UTC_TIME)
    window_end: datetime | None = Field(default=None, sa_type=UTC_TIME)

    # Who has it, or finished it.
    engineer_id: UUID | None = None
    # Who had it before, when it was taken away from somebody.
    previous_engineer_id: UUID | None = None
    # Those who rejected it or let it lie; they get it again only when nobody else can do it.
    declined_by: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))
    # Why this engineer, or why nobody.
    assignment_reasons: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    reassigned_times: int = 0

    # The contract's Report as JSON, once done; what was written in it sealed, as is the failure.
    report: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    # Why it could not be done, or is no longer wanted.
    failure: str = Field(default="", sa_type=Text)

    created_at: datetime = Field(sa_type=UTC_TIME)
    assigned_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    accepted_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    arrived_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    finished_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def held_by(self) -> UUID | None:
        """Whose load it counts in."""
        return self.engineer_id if self.state in HELD else None

    @property
    def window(self) -> Window | None:
        """The appointed time."""
        if self.window_start is None or self.window_end is None:
            return None
        return Window(self.window_start, self.window_end)
