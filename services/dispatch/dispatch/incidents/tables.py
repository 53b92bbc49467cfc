"""Where incidents and their history are stored."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from dispatch.incidents.incident import ONGOING, Incident

# The sequence behind incident numbers.
NUMBERS = "incident_numbers"
_ONGOING = ", ".join(f"'{state}'" for state in sorted(ONGOING))


class IncidentRow(Incident, table=True):
    """One incident."""

    __tablename__ = "incidents"
    __table_args__ = (
        # Whoever reports looks here for one that is there already.
        Index("incidents_ongoing", "region", postgresql_where=text(f"state IN ({_ONGOING})")),
        Index("incidents_in_region", "region", "incident_id", postgresql_ops={"region": "text_pattern_ops"}),
    )


class HistoryRow(SQLModel, table=True):
    """One thing that happened to an incident and who did it. Append-only; partitioned by month."""

    __tablename__ = "incident_history"
    __table_args__ = {"postgresql_partition_by": "RANGE (at)"}

    incident_id: UUID = Field(primary_key=True)
    # Version of the incident after it.
    version: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    # Past-tense name, such as `incident_escalated`.
    happened: str
    # User id, or `system`.
    actor: str
    state: str
    details: dict[str, str] = Field(sa_type=JSONB)


INCIDENTS = IncidentRow.__table__  # type: ignore[attr-defined]
HISTORY = HistoryRow.__table__  # type: ignore[attr-defined]
# Tables that are made month by month, each with its time column.
PARTITIONED = {"incident_history": "at"}
