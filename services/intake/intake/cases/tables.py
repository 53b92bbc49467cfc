"""Where cases live. `cases` holds what is true now; history and texts are only ever added to."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from intake.cases.case import FAULT, Case

CASE_NUMBERS = "case_number_serial"


class CaseRow(Case, table=True):
    """The current state of each case."""

    __tablename__ = "cases"
    __table_args__ = (
        # Lists go newest first by case id, which grows with time.
        Index("cases_of_customer", "customer_id", "case_id"),
        Index("cases_in_stage", "stage", "case_id"),
        Index("cases_of_owner", "owner", "case_id"),
        Index("cases_of_handler", "handler", "case_id", postgresql_where=text("handler <> ''")),
        Index("cases_in_region", "region", "case_id", postgresql_ops={"region": "text_pattern_ops"}),
        Index("cases_of_incident", "incident_id", "case_id", postgresql_where=text("incident_id IS NOT NULL")),
        # Whether many of one area report the same fault is looked at with every report.
        Index(
            "cases_sighted",
            "region",
            "category",
            "accepted_at",
            postgresql_where=text(f"kind = '{FAULT}' AND closed_at IS NULL AND incident_id IS NULL"),
        ),
    )


class HistoryRow(SQLModel, table=True):
    """One thing that happened to a case. Facts only: no names, no free text. Partitioned by month."""

    __tablename__ = "case_history"
    __table_args__ = (
        Index("case_history_of_case", "case_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    # UUIDv7: orders what happened in one transaction.
    entry_id: UUID = Field(primary_key=True)
    case_id: UUID
    happened: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    details: dict[str, str] = Field(sa_type=JSONB)
    version: int


class TextRow(SQLModel, table=True):
    """One text that somebody wrote about a case, sealed with the customer's key. Partitioned by month."""

    __tablename__ = "case_texts"
    __table_args__ = (
        Index("case_texts_of_case", "case_id", "at"),
        Index("case_texts_by_id", "text_id"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    text_id: UUID = Field(primary_key=True)
    case_id: UUID
    # What it is: `interaction`, `joined_report`, `survey_comment` …
    role: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    # The customer wrote it to us.
    inbound: bool
    sealed: bytes


# For Core statements, which everything here uses.
CASES = CaseRow.metadata.tables["cases"]
HISTORY = HistoryRow.metadata.tables["case_history"]
TEXTS = TextRow.metadata.tables["case_texts"]
# Tables that are made month by month, each with the column that decides.
PARTITIONED = {"case_history": "at", "case_texts": "at"}
