"""What is promised in each stage: the clock that the customer is told about (INT-10), and what became of it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bihuan.common.v1.common_pb2 import (
    CLOCK_STATE_CANCELLED,
    CLOCK_STATE_MET,
    CLOCK_STATE_MISSED,
    CLOCK_STATE_PAUSED,
    CLOCK_STATE_RUNNING,
    Clock,
)

from intake.cases import steps
from intake.cases.case import Case, Stage

_PROMISED = {
    Stage.ASSESSED: steps.ASSESSMENT,
    Stage.ASSIGNED: steps.STAFF_ASSESSMENT,
    Stage.HANDLING: steps.HANDLING,
    Stage.DELIVERED: steps.CUSTOMER_CONFIRMATION,
    Stage.CONFIRMED: steps.FOLLOW_UP,
    Stage.CLOSED: steps.FILING,
}
_OUTCOMES = {
    CLOCK_STATE_RUNNING: "running",
    CLOCK_STATE_PAUSED: "running",
    CLOCK_STATE_MET: "met",
    CLOCK_STATE_MISSED: "missed",
    CLOCK_STATE_CANCELLED: "cancelled",
}


def promised_clock(case: Case, clocks: Sequence[Clock]) -> Clock | None:
    """The newest clock of what is promised in the case's stage; None at the end of the loop.

    A new case is promised its first answer; one that came back because a visit failed, a new assessment.
    """
    if case.stage == Stage.ACCEPTED:
        names = {case.response_clock, steps.ASSESSMENT}
        running = [clock for clock in clocks if clock.name in names and _began(clock) >= case.stage_entered_at]
        return min(running, key=lambda clock: clock.due_at.ToNanoseconds(), default=None)
    promised = _PROMISED.get(case.stage)
    if case.stage == Stage.HANDLING and case.complaint_id is not None:
        promised = steps.COMPLAINT_RESULT
    return next((clock for clock in reversed(clocks) if clock.name == promised), None)


def outcome(clock: Clock) -> str:
    """`met`, `missed` or `cancelled`; `running` while it goes on."""
    return _OUTCOMES[clock.state]


def _began(clock: Clock) -> datetime:
    return clock.started_at.ToDatetime(UTC)
