"""One event on its way to one endpoint, and what becomes of it after each attempt. Pure."""

import random
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

ATTEMPTS_EXHAUSTED = "attempts_exhausted"
ENDPOINT_DISABLED = "endpoint_disabled"

# So that those who failed together don't come again together.
_JITTER = 0.1


class State(StrEnum):
    """The words behind the contract's DeliveryState."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


OPEN = (State.WAITING, State.SENDING)


class Delivery(SQLModel):
    """A delivery as a value. `DeliveryRow` stores exactly these fields."""

    delivery_id: UUID = Field(primary_key=True)
    endpoint_id: UUID
    partner: str
    event_id: UUID
    event_type: str
    # A CloudEvent in JSON: exactly what is sent and signed.
    content: str = Field(sa_type=Text)
    state: State = Field(sa_type=Text)
    # Platform time; set while it waits.
    due_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # Real time; set while it is being sent. Afterwards whoever sent it has died.
    leased_until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # Failed tries since it was accepted, or asked for again.
    tries: int = 0
    # Every try there was: `at`, `status`, `failure`, `milliseconds`.
    attempts: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    accepted_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    given_up_reason: str = ""


def next_due(now: datetime, tries: int, pauses: tuple[timedelta, ...]) -> datetime | None:
    """When to try again after `tries` failures; None when that was the last one."""
    if tries > len(pauses):
        return None
    pause = pauses[tries - 1]
    return now + pause + pause * _JITTER * random.random()  # noqa: S311 -- spreads load, keeps no secret
