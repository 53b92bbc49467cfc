"""A certificate: what somebody has proved to know, and until when that counts (TRN-05)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """The words behind the contract's CertificateState."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Certificate(SQLModel):
    """A certificate as a value. `CertificateRow` stores exactly these fields."""

    certificate_id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    version: int
    state: State = Field(sa_type=Text)
    # User id of the holder.
    person: str
    skill: str
    level: str
    issued_at: datetime = Field(sa_type=UTC_TIME)
    valid_until: datetime = Field(sa_type=UTC_TIME)
    exam_id: UUID
    attempt_id: UUID = Field(unique=True)
    # Compact JWS.
    signed: str = Field(sa_type=Text)
    revoked_reason: str = Field(default="", sa_type=Text)

    def is_valid(self, now: datetime) -> bool:
        """The moment decides, also before the clock has fired."""
        return self.state == State.VALID and now < self.valid_until
