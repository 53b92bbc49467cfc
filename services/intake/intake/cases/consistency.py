"""Whether a case's stage, clocks and fields fit together: the loop check's rule for one case. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from bihuan.common.v1.common_pb2 import (
    CLOCK_STATE_MISSED,
    CLOCK_STATE_PAUSED,
    CLOCK_STATE_RUNNING,
    Clock,
    ClockState,
)

from intake.cases import steps
from intake.cases.case import ENDED, UNSOLVED, Case, Confirmation, Outcome, Stage

# The clocks that watch a case in each stage.
WATCHED_BY: Mapping[Stage, frozenset[str]] = {
    Stage.ACCEPTED: frozenset({steps.ASSESSMENT}),
    Stage.ASSESSED: frozenset({steps.ASSESSMENT}),
    Stage.ASSIGNED: frozenset({steps.STAFF_ASSESSMENT, steps.HANDLING}),
    Stage.HANDLING: frozenset({steps.HANDLING}),
    Stage.DELIVERED: frozenset({steps.CUSTOMER_CONFIRMATION}),
    Stage.CONFIRMED: frozenset({steps.FOLLOW_UP}),
    Stage.CLOSED: frozenset({steps.FILING}),
    Stage.ARCHIVED: frozenset(),
}
_STATES = dict(zip(ClockState.values(), ClockState.keys(), strict=True))
TICKING = frozenset({CLOCK_STATE_RUNNING, CLOCK_STATE_PAUSED})


def problems_of(case: Case, clocks: Iterable[Clock]) -> list[str]:
    """What is wrong with a case, in words for operators; empty when it is sound."""
    return [*_clock_problems(case, _newest(clocks)), *_field_problems(case)]


def _newest(clocks: Iterable[Clock]) -> dict[str, int]:
    in_order = sorted(clocks, key=lambda clock: clock.started_at.ToNanoseconds())
    return {clock.name: clock.state for clock in in_order}


def _clock_problems(case: Case, clocks: Mapping[str, int]) -> Iterator[str]:
    watched_by = WATCHED_BY[case.stage]
    if case.stage == Stage.HANDLING and case.complaint_id is not None:
        watched_by = frozenset({steps.COMPLAINT_RESULT})
    ticking = CLOCK_STATE_PAUSED if case.waiting_for_customer else CLOCK_STATE_RUNNING
    # A missed clock has done its work by escalating; only silence must have turned into a confirmation at once.
    allowed = {ticking} if case.stage == Stage.DELIVERED else {ticking, CLOCK_STATE_MISSED}
    for name in sorted(watched_by):
        if name not in clocks:
            yield f"clock {name} was never started"
        elif clocks[name] not in allowed:
            yield f"clock {name} is {_STATES[clocks[name]]} in stage {case.stage}"
    extra = frozenset({case.response_clock}) if case.stage == Stage.ACCEPTED else frozenset()
    for name in sorted(clocks.keys() - watched_by - extra):
        if clocks[name] in TICKING:
            yield f"clock {name} still ticks in stage {case.stage}"


def _field_problems(case: Case) -> Iterator[str]:
    solved = case.stage in ENDED and case.outcome == Outcome.SOLVED
    requirements = {
        "an owner": bool(case.owner),
        "a work order": case.stage != Stage.ASSESSED or case.work_order_id is not None,
        "a handler": case.stage not in {Stage.ASSIGNED, Stage.HANDLING} or bool(case.handler),
        "a result": not (case.stage in {Stage.DELIVERED, Stage.CONFIRMED} or solved) or bool(case.result),
        "a confirmation": not (case.stage == Stage.CONFIRMED or solved)
        or case.confirmation != Confirmation.UNCONFIRMED,
        "an outcome": (case.stage in ENDED) == (case.outcome != Outcome.OPEN),
        "a closing time": (case.stage in ENDED) == (case.closed_at is not None),
        "a record": (case.stage == Stage.ARCHIVED) == (case.record_id is not None),
    }
    for what, fulfilled in requirements.items():
        if not fulfilled:
            yield f"{what} is missing or too many in stage {case.stage}"
    if case.waiting_for_customer and case.stage not in UNSOLVED:
        yield f"it waits for the customer in stage {case.stage}"
