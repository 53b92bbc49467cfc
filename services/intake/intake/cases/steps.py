"""What a rule decides: the case after it, what the history says, what the clocks do, and what is announced."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.message import Message
from servicekit.errors import Fault

from intake.cases.case import Case, Stage

HIGHEST_PRIORITY = 1
LOWEST_PRIORITY = 5

# Clocks of a case, by their names in standards/clocks.yaml (INT-05). The response clock depends on the kind of case.
ASSESSMENT = "assessment"
STAFF_ASSESSMENT = "staff_assessment"
HANDLING = "handling"
RESULT_FEEDBACK = "result_feedback"
CUSTOMER_CONFIRMATION = "customer_confirmation"
FOLLOW_UP = "follow_up"
FILING = "filing"
# What the customer is promised while complaints handles it (CMP-01).
COMPLAINT_RESULT = "complaint_result"
WORK_CLOCKS = (ASSESSMENT, STAFF_ASSESSMENT, HANDLING, COMPLAINT_RESULT)


@dataclass(frozen=True)
class ClockStart:
    """A clock to start; `at` is given where the time ran before we heard of it, or begins with an appointed time, and
    `due_at` where that time is its end."""

    clock: str
    at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. Clocks are cancelled, started and met, in this order.

    Clocks also stand still exactly while `after.waiting_for_customer` is true; no rule says so separately.
    """

    after: Case
    happened: str
    details: Mapping[str, str] = field(default_factory=dict)
    cancels: tuple[str, ...] = ()
    cancels_all: bool = False
    starts: tuple[ClockStart, ...] = ()
    meets: tuple[str, ...] = ()
    events: tuple[Message, ...] = ()
    commands: tuple[Message, ...] = ()


def require_stage(case: Case, action: str, allowed: frozenset[Stage]) -> None:
    """Raises Fault("transition_forbidden") unless the case stands in one of the stages."""
    if case.stage not in allowed:
        raise forbidden(case, action)


def forbidden(case: Case, action: str) -> Fault:
    return Fault("transition_forbidden", action=action, state=case.stage.value)


def changed(case: Case) -> Case:
    """A copy to write the next version into."""
    after = case.model_copy()
    after.version += 1
    return after


def entered(case: Case, stage: Stage, now: datetime) -> Case:
    """The next version, standing in another stage; moving on ends any wait for the customer."""
    after = changed(case)
    after.stage = stage
    after.stage_entered_at = now
    after.waiting_for_customer = False
    return after


def noted(case: Case, happened: str, **details: str) -> Step:
    """A step that only writes history: the case and its version stay as they are."""
    return Step(after=case, happened=happened, details=details)


def raised(priority: int) -> int:
    """One more important, up to the highest."""
    return max(HIGHEST_PRIORITY, priority - 1)
