"""What a rule decides: the complaint after it, what the history says, what the clocks do, and what is announced."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from servicekit.errors import Fault
from sqlmodel import SQLModel

from complaints.complaints.complaint import Complaint, Stage

HIGHEST_PRIORITY = 1

# Clocks of a complaint, by their names in standards/clocks.yaml (CMP-01, CMP-03, CMP-05).
REGISTRATION = "complaint_registration"
CLASSIFICATION = "complaint_classification"
START = "complaint_start"
FIRST_HANDLING = "complaint_first_handling"
RESULT = "complaint_result"
CLOSURE = "complaint_closure"
RESULT_NOTICE = "complaint_result_notice"
SATISFACTION = "complaint_satisfaction"
FILING = "filing"
ALL = (
    REGISTRATION,
    CLASSIFICATION,
    START,
    FIRST_HANDLING,
    RESULT,
    CLOSURE,
    RESULT_NOTICE,
    SATISFACTION,
    FILING,
)


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. Clocks are cancelled, started and met, in this order."""

    after: Complaint
    happened: str
    details: Mapping[str, str] = field(default_factory=dict)
    cancels: tuple[str, ...] = ()
    cancels_all: bool = False
    starts: tuple[str, ...] = ()
    # Since when the started clocks run; None: from now on.
    starts_at: datetime | None = None
    meets: tuple[str, ...] = ()
    events: tuple[Message, ...] = ()
    commands: tuple[Message, ...] = ()
    # What belongs to the complaint and is stored with it, new or changed.
    rows: tuple[SQLModel, ...] = ()


def require_stage(complaint: Complaint, action: str, *allowed: Stage) -> None:
    """Raises Fault("transition_forbidden") unless the complaint stands in one of the stages."""
    if complaint.stage not in allowed:
        raise forbidden(complaint, action)


def forbidden(complaint: Complaint, action: str) -> Fault:
    return Fault("transition_forbidden", action=action, state=complaint.stage.value)


def changed(complaint: Complaint, **changes: Any) -> Complaint:
    """The next version."""
    return complaint.model_copy(update={"version": complaint.version + 1, **changes})


def noted(complaint: Complaint, happened: str, **details: str) -> Step:
    """A step that only writes history: the complaint and its version stay as they are."""
    return Step(after=complaint, happened=happened, details=details)


def raised(priority: int) -> int:
    """One more important, up to the highest."""
    return max(HIGHEST_PRIORITY, priority - 1)


def ids_of(complaint: Complaint) -> dict[str, Any]:
    """How every event names the complaint."""
    return {"complaint_id": str(complaint.complaint_id), "case_id": str(complaint.case_id or "")}
