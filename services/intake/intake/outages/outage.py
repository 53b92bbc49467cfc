"""An incident as intake knows it: what cases are attached to, and what becomes of them with it (INT-15)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import ARRAY, Text
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """What is known here about an incident of dispatch's."""

    # Dispatch has been asked for it and has not answered.
    ASKED = "asked"
    OPEN = "open"
    RESTORED = "restored"
    DISMISSED = "dismissed"
    # Asked for, and there is none of its own: the reports joined another.
    JOINED = "joined"


class Outage(SQLModel):
    """`OutageRow` stores exactly these fields."""

    incident_id: UUID = Field(primary_key=True)
    state: State = Field(sa_type=Text)
    # It concerns this region and all below it.
    region: str
    # Service categories that it disturbs.
    categories: list[str] = Field(sa_type=ARRAY(Text))
    # Reports from before that moment are none of its own.
    since: datetime = Field(sa_type=UTC_TIME)
    # What was done, as customers are told, and when.
    restoration: str = Field(default="", sa_type=Text)
    restored_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
