"""The case itself: its stages, and every fact that is kept about it (INT-01, INT-04, INT-08, INT-11)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from servicekit.windows import Window
from sqlalchemy import ARRAY, SmallInteger, Text
from sqlmodel import Field, SQLModel

# The kind of case that tells of an outage (INT-15).
FAULT = "fault_repair"


class Stage(StrEnum):
    """Where in the loop a case stands; the words behind the contract's CaseStage."""

    ACCEPTED = "accepted"
    ASSESSED = "assessed"
    ASSIGNED = "assigned"
    HANDLING = "handling"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    ARCHIVED = "archived"


# Before the result is delivered we owe the customer something; afterwards they owe us an answer.
UNSOLVED = frozenset({Stage.ACCEPTED, Stage.ASSESSED, Stage.ASSIGNED, Stage.HANDLING})
ANSWERABLE = frozenset({Stage.DELIVERED, Stage.CONFIRMED})
OPEN = UNSOLVED | ANSWERABLE
ENDED = frozenset({Stage.CLOSED, Stage.ARCHIVED})


class Confirmation(StrEnum):
    """How a result came to be confirmed (INT-11); `UNCONFIRMED` until then."""

    UNCONFIRMED = "unspecified"
    BY_CUSTOMER = "by_customer"
    BY_DEFAULT = "by_default"


class Outcome(StrEnum):
    """How a case ended; `OPEN` while it has not."""

    OPEN = "unspecified"
    SOLVED = "solved"
    WITHDRAWN = "withdrawn"


class Case(SQLModel):
    """A case as a value: what rules read and return. `CaseRow` stores exactly these fields.

    Texts in the customer's words are sealed with the customer's key and never stood here in clear.
    """

    case_id: UUID = Field(primary_key=True)
    case_number: str = Field(unique=True)
    version: int
    stage: Stage = Field(sa_type=Text)
    customer_id: UUID
    channel: str
    # Name of the contract's IdentityCheck without its prefix, in lower case.
    identity_check: str
    region: str
    # The language the customer is served in.
    language: str
    sealed_subject: bytes
    sealed_description: bytes

    proposed_kind: str
    proposed_category: str
    proposed_urgency: str
    proposed_confidence: float
    proposed_evidence: list[str] = Field(sa_type=ARRAY(Text))
    kind: str
    category: str
    urgency: str
    classification_confirmed: bool = False
    # The clock that watches the first answer; which one it is follows from the kind (INT-06).
    response_clock: str

    # 1 (highest) to 5.
    priority: int = Field(sa_type=SmallInteger)
    owner: str
    # Who is handling it now: a user id at the desk, an engineer id for a visit.
    handler: str = ""
    # The user id of the handler, and what customers may call them; empty while dispatch has not said so.
    handler_user_id: str = ""
    handler_name: str = ""
    work_order_id: UUID | None = None
    # Version of the work order's newest event seen; older ones come too late to matter.
    work_order_version: int = 0
    # The appointed time of its visit, where there is one (INT-09).
    appointed_from: datetime | None = Field(default=None, sa_type=UTC_TIME)
    appointed_until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # The complaint that it was handed to (INT-02).
    complaint_id: UUID | None = None
    # The incident that it waits for in HANDLING, and later was solved with (INT-15).
    incident_id: UUID | None = None
    # The incident that it turned out to be no part of: from then on only a person attaches it to one.
    detached_from: UUID | None = None
    result: str = Field(default="", sa_type=Text)
    confirmation: Confirmation = Field(default=Confirmation.UNCONFIRMED, sa_type=Text)
    outcome: Outcome = Field(default=Outcome.OPEN, sa_type=Text)
    survey_sent_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # 1 to 5; 0 while there is no answer.
    satisfaction: int = Field(default=0, sa_type=SmallInteger)
    reopened_times: int = 0
    repeat_of: UUID | None = None
    waiting_for_customer: bool = False

    accepted_at: datetime = Field(sa_type=UTC_TIME)
    stage_entered_at: datetime = Field(sa_type=UTC_TIME)
    # W3C traceparent of the request that brought the case into its stage, for the life-cycle trace (TRC-01).
    stage_entered_by: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    record_id: UUID | None = None

    @property
    def waits_for_incident(self) -> bool:
        """Its result comes with the incident's."""
        return self.incident_id is not None and self.stage == Stage.HANDLING

    @property
    def responsible(self) -> str:
        """Who has to act now (INT-08): the handler while it is theirs to do, else the owner."""
        return self.handler if self.stage in {Stage.ASSIGNED, Stage.HANDLING} else self.owner

    @property
    def appointed(self) -> Window | None:
        """The appointed time of its visit."""
        if self.appointed_from is None or self.appointed_until is None:
            return None
        return Window(self.appointed_from, self.appointed_until)
