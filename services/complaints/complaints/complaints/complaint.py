"""The complaint itself: its stages, and every fact that is kept about it (CMP-01 to CMP-05)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import ARRAY, SmallInteger, Text
from sqlmodel import Field, SQLModel


class Stage(StrEnum):
    """How far a complaint has come; the words behind the contract's ComplaintStage."""

    REGISTERED = "registered"
    CLASSIFIED = "classified"
    HANDLING = "handling"
    HANDLED = "handled"
    FED_BACK = "fed_back"
    DISPUTED = "disputed"
    SETTLED = "settled"
    CLOSED = "closed"
    ARCHIVED = "archived"


# Before the customer knows the result, and while they refuse it, we owe them something.
UNSETTLED = frozenset(
    {Stage.REGISTERED, Stage.CLASSIFIED, Stage.HANDLING, Stage.HANDLED, Stage.FED_BACK, Stage.DISPUTED}
)
OPEN = UNSETTLED | {Stage.SETTLED}
ENDED = frozenset({Stage.CLOSED, Stage.ARCHIVED})
# Enough is known to say why it happened and what is to change.
LEARNING = frozenset({Stage.HANDLING, Stage.HANDLED, Stage.FED_BACK, Stage.DISPUTED, Stage.SETTLED})


class Outcome(StrEnum):
    """How a complaint came to be settled; `OPEN` while it has not."""

    OPEN = "unspecified"
    ACCEPTED = "accepted"
    UNANSWERED = "unanswered"
    DISPUTE_ENDED = "dispute_ended"
    WITHDRAWN = "withdrawn"


class Complaint(SQLModel):
    """A complaint as a value: what rules read and return. `ComplaintRow` stores exactly these fields.

    Texts about the customer are sealed with the complainant's key; the customer's own words in a complaint that came
    from intake stay with its case.
    """

    complaint_id: UUID = Field(primary_key=True)
    complaint_number: str = Field(unique=True)
    version: int
    stage: Stage = Field(sa_type=Text)
    case_id: UUID | None = None
    case_number: str = ""
    # What intake is told about the customer is sealed with it; empty where nothing is told, or nothing asked for it.
    case_sealing_key: bytes = b""
    customer_id: UUID
    channel: str
    region: str
    category: str
    # The language the customer is served in.
    language: str
    sealed_subject: bytes = b""
    sealed_description: bytes = b""

    proposed_class: str
    proposed_severity: str
    proposed_confidence: float
    proposed_evidence: list[str] = Field(sa_type=ARRAY(Text))
    complaint_class: str
    severity: str
    classification_confirmed: bool = False

    # 1 (highest) to 5.
    priority: int = Field(sa_type=SmallInteger)
    owner: str
    handler: str = ""
    # Who answers for a major complaint (CMP-03).
    leader: str = ""
    person_concerned: str = ""
    first_handled_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    handled_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    result: str = Field(default="", sa_type=Text)
    outcome: Outcome = Field(default=Outcome.OPEN, sa_type=Text)
    # 1 to 5; 0 without an answer.
    satisfaction: int = Field(default=0, sa_type=SmallInteger)
    reopened_times: int = 0
    repeat_of: UUID | None = None
    summary: str = Field(default="", sa_type=Text)

    accepted_at: datetime = Field(sa_type=UTC_TIME)
    closed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    record_id: UUID | None = None

    @property
    def responsible(self) -> str:
        """Who has to act now (CMP-01): whoever handles it, else its owner."""
        return self.handler or self.owner
