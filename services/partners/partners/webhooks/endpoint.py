"""A webhook endpoint: where a partner wants its events sent (GWY-05)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

# Why an endpoint is disabled.
BY_REQUEST = "by_request"
GONE = "gone"
FAILED_TOO_LONG = "failed_too_long"


class State(StrEnum):
    """The words behind the contract's EndpointState."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class Endpoint(SQLModel):
    """An endpoint as a value. `EndpointRow` stores exactly these fields."""

    endpoint_id: UUID = Field(primary_key=True)
    partner: str
    version: int
    state: State = Field(sa_type=Text)
    url: str
    # Of what the partner may see, only these kinds; empty: all of it.
    event_types: list[str] = Field(sa_type=ARRAY(Text))
    # Failed attempts since the last one that succeeded.
    failures: int = 0
    # When the first of them failed.
    failing_since: datetime | None = Field(default=None, sa_type=UTC_TIME)
    disabled_reason: str = ""
    created_at: datetime = Field(sa_type=UTC_TIME)
