"""Where complaints live. `complaints` holds what is true now; history and texts are only ever added to."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from complaints.complaints.complaint import Complaint

# The sequence behind complaint numbers.
NUMBERS = "complaint_numbers"


class ComplaintRow(Complaint, table=True):
    """The current state of each complaint."""

    __tablename__ = "complaints"
    __table_args__ = (
        # Lists go newest first by complaint id, which grows with time.
        Index("complaints_of_customer", "customer_id", "complaint_id"),
        Index("complaints_in_stage", "stage", "complaint_id"),
        Index("complaints_in_region", "region", "complaint_id", postgresql_ops={"region": "text_pattern_ops"}),
    )


class HistoryRow(SQLModel, table=True):
    """One thing that happened to a complaint. Facts only: no names, no free text. Partitioned by month."""

    __tablename__ = "complaint_history"
    __table_args__ = (
        Index("complaint_history_of_complaint", "complaint_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    # UUIDv7: orders what happened in one transaction.
    entry_id: UUID = Field(primary_key=True)
    complaint_id: UUID
    happened: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    details: dict[str, str] = Field(sa_type=JSONB)
    version: int


class TextRow(SQLModel, table=True):
    """One text about a complaint, sealed with the complainant's key: the communication log. Partitioned by month."""

    __tablename__ = "complaint_texts"
    __table_args__ = (
        Index("complaint_texts_of_complaint", "complaint_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    text_id: UUID = Field(primary_key=True)
    complaint_id: UUID
    # What it is: `contact`, `handling_note`, `result_comment` …
    role: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    # The customer said it to us.
    inbound: bool
    sealed: bytes


# For Core statements, which everything here uses.
COMPLAINTS = ComplaintRow.metadata.tables["complaints"]
HISTORY = HistoryRow.metadata.tables["complaint_history"]
TEXTS = TextRow.metadata.tables["complaint_texts"]
# Tables that are made month by month, each with the column that decides.
PARTITIONED = {"complaint_history": "at", "complaint_texts": "at"}
