"""A record as the catalogue knows it: what exists, without its content (REC-01, REC-03)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


class Outcome(StrEnum):
    """How the case ended; the words behind the contract's CaseOutcome."""

    UNSPECIFIED = "unspecified"
    SOLVED = "solved"
    WITHDRAWN = "withdrawn"


class Record(SQLModel):
    """The newest version of a record as a value. `RecordRow` stores exactly these fields."""

    record_id: UUID = Field(primary_key=True)
    record_number: str = Field(unique=True)
    version: int
    # What was filed: `service_case` or `complaint`.
    record_class: str = Field(default="service_case", sa_type=Text, sa_column_kwargs={"server_default": "service_case"})
    # One record a case, and one a complaint; their ids never meet.
    case_id: UUID = Field(unique=True)
    case_number: str = Field(index=True)
    # The version of the case that this version was made from.
    case_version: int
    # Data grade of standards/levels.yaml.
    grade: str
    category: str
    kind: str
    region: str
    customer_id: UUID | None
    # Who handled it, in order of appearance.
    staff: list[str] = Field(sa_type=ARRAY(Text))
    outcome: Outcome = Field(sa_type=Text)
    # Sealed by the service that it came from.
    result: str = Field(sa_type=Text)
    # 1 to 5; 0 without an answer.
    satisfaction: int = Field(sa_type=SmallInteger)
    accepted_at: datetime | None = Field(sa_type=UTC_TIME)
    closed_at: datetime | None = Field(sa_type=UTC_TIME)
    filed_at: datetime = Field(sa_type=UTC_TIME)
    # What REC-01 asks for and is not there.
    missing: list[str] = Field(sa_type=ARRAY(Text))
    # SHA-256 of the version's canonical content, in hexadecimal.
    content_hash: str
    # Class of standards/retention.yaml that says how long it is kept; empty for its record class.
    retention_class: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    # Since when its content is gone for good.
    destroyed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def complete(self) -> bool:
        """Everything that REC-01 asks for is there."""
        return not self.missing
