"""A request to open one record: who wants it, what for, who agreed, until when (REC-03)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """The words behind the contract's AccessRequestState."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class AccessRequest(SQLModel):
    """A request as a value. `AccessRequestRow` stores exactly these fields."""

    request_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    record_id: UUID
    record_number: str
    grade: str
    region: str
    purpose: str = Field(sa_type=Text)
    # User id.
    requested_by: str
    requested_at: datetime = Field(sa_type=UTC_TIME)
    # How many others must agree.
    approvals_needed: int
    # User ids, in order.
    approved_by: list[str] = Field(sa_type=ARRAY(Text))
    rejected_by: str = ""
    rejected_reason: str = Field(default="", sa_type=Text)
    # Until when it may be opened, once approved.
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    opened_times: int = 0

    def may_be_opened(self, now: datetime) -> bool:
        """The moment decides, also before the clock has fired."""
        return self.state == State.APPROVED and self.expires_at is not None and now < self.expires_at
