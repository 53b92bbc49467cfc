"""Where it is stored what is remembered of events, generation by generation."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import BigInteger, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class GenerationState(StrEnum):
    # Its figures are shown.
    LIVE = "live"
    # A rebuild is filling it.
    BUILDING = "building"
    # Its rows are being thrown away.
    RETIRED = "retired"


class GenerationRow(SQLModel, table=True):
    """One whole set of observations and contributions. A rebuild makes the next one beside it."""

    __tablename__ = "quality_generations"
    __table_args__ = (
        Index("quality_living_generations", "state", unique=True, postgresql_where=text("state <> 'retired'")),
    )

    generation: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: GenerationState = Field(sa_type=Text)
    # Of the standards that its contributions were formed by.
    standards_hash: str = Field(sa_type=Text)


class ObservationRow(SQLModel, table=True):
    """One mark that an event left. Only ever added to; partitioned by month."""

    __tablename__ = "quality_observations"
    __table_args__ = (
        Index("quality_observations_of_subject", "generation", "subject_id"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )

    generation: int = Field(primary_key=True)
    occurred_at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    event_id: UUID = Field(primary_key=True)
    mark: str = Field(primary_key=True, sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    # Of the entity, after the event.
    version: int
    facts: dict[str, Any] = Field(sa_type=JSONB)


class ChangeRow(SQLModel, table=True):
    """A subject of which something new is remembered, until its contributions are formed again."""

    __tablename__ = "quality_changes"

    change_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(),))
    generation: int
    subject_id: str = Field(sa_type=Text)


GENERATIONS = GenerationRow.__table__  # type: ignore[attr-defined]
OBSERVATIONS = ObservationRow.__table__  # type: ignore[attr-defined]
CHANGES = ChangeRow.__table__  # type: ignore[attr-defined]
