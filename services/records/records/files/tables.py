"""Where records are stored: the catalogue, every version's content, and who saw it."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from records.files.record import Record

# The sequence behind record numbers.
NUMBERS = "record_numbers"


class RecordRow(Record, table=True):
    """The newest version of each record, without its content."""

    __tablename__ = "record_heads"
    __table_args__ = (
        # Lists go newest first by record id, which grows with time.
        Index("records_in_category", "category", "record_id"),
        Index("records_in_region", "region", "record_id", postgresql_ops={"region": "text_pattern_ops"}),
        Index("records_of_customer", "customer_id", "record_id"),
    )


class VersionRow(SQLModel, table=True):
    """The content of one version. Only ever added to; partitioned by month (REC-02)."""

    __tablename__ = "record_versions"
    __table_args__ = {"postgresql_partition_by": "RANGE (filed_at)"}

    record_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    filed_at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    # Canonical form, see content.py. Personal texts in it are sealed with the customer's key.
    content: bytes
    content_hash: str


class AccessRow(SQLModel, table=True):
    """One look into a record, or one that was refused. Only ever added to; partitioned by month (REC-09)."""

    __tablename__ = "record_accesses"
    __table_args__ = (
        Index("accesses_of_record", "record_id", "at"),
        Index("accesses_of_user", "user_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    access_id: UUID = Field(primary_key=True)
    user_id: str
    roles: list[str] = Field(sa_type=ARRAY(Text))
    record_id: UUID
    record_number: str
    version: int
    # What was seen: see `records.accesses.trail`; or the code of the fault that it was refused with.
    outcome: str
    # The request that it was opened under.
    request_id: UUID | None = None


RECORDS = RecordRow.__table__  # type: ignore[attr-defined]
VERSIONS = VersionRow.__table__  # type: ignore[attr-defined]
ACCESSES = AccessRow.__table__  # type: ignore[attr-defined]
# The hash of what a version holds today, computed by the database, so that contents need not travel.
CONTENT_HASH = func.encode(func.sha256(VERSIONS.c.content), "hex")
# Tables that are made month by month, each with its time column.
PARTITIONED = {"record_versions": "filed_at", "record_accesses": "at"}
