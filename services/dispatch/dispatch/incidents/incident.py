"""The incident itself: its states, and every fact that is kept about it (DSP-06, DSP-07)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """How far an incident has come; the words behind the contract's IncidentState."""

    REPORTED = "reported"
    ACKNOWLEDGED = "acknowledged"
    ANALYSED = "analysed"
    ISOLATED = "isolated"
    RESTORED = "restored"
    CLOSED = "closed"
    DISMISSED = "dismissed"


# The service is disturbed, as far as is known: reports belong to it.
ONGOING = frozenset({State.REPORTED, State.ACKNOWLEDGED, State.ANALYSED, State.ISOLATED})


class Source(StrEnum):
    """What an incident was known from."""

    REPORTS = "reports"
    ALARM = "alarm"


class Incident(SQLModel):
    """An incident as a value: what rules read and return. `IncidentRow` stores exactly these fields."""

    incident_id: UUID = Field(primary_key=True)
    incident_number: str = Field(unique=True)
    version: int
    state: State = Field(sa_type=Text)
    # Incident kind of standards/classes.yaml.
    kind: str
    source: Source = Field(sa_type=Text)
    # It concerns this region and all below it.
    region: str
    # Service categories that it disturbs.
    categories: list[str] = Field(sa_type=ARRAY(Text))
    # Emergency level: 1 (major) to 3 (daily).
    level: int = Field(sa_type=SmallInteger)
    # Who answers for it; until it is acknowledged, who has been told.
    commander: str
    reports: int = 0
    finding: str = Field(default="", sa_type=Text)
    restoration: str = Field(default="", sa_type=Text)
    lessons: str = Field(default="", sa_type=Text)
    dismissal: str = Field(default="", sa_type=Text)

    reported_at: datetime = Field(sa_type=UTC_TIME)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    analysed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    isolated_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    restored_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    closed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
