"""Whether a complaint's stage, clocks and fields fit together: the loop check's rule for one complaint. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING, Clock, ClockState

from complaints.complaints import steps
from complaints.complaints.complaint import ENDED, Complaint, Outcome, Stage

# The clocks that watch a complaint in each stage; besides, the one of its severity may run.
WATCHED_BY: Mapping[Stage, frozenset[str]] = {
    Stage.REGISTERED: frozenset({steps.CLASSIFICATION, steps.START, steps.FIRST_HANDLING, steps.RESULT, steps.CLOSURE}),
    Stage.CLASSIFIED: frozenset({steps.START, steps.FIRST_HANDLING, steps.RESULT, steps.CLOSURE}),
    Stage.HANDLING: frozenset({steps.RESULT, steps.CLOSURE}),
    Stage.HANDLED: frozenset({steps.RESULT_NOTICE, steps.RESULT, steps.CLOSURE}),
    Stage.FED_BACK: frozenset({steps.SATISFACTION, steps.CLOSURE}),
    Stage.DISPUTED: frozenset({steps.CLOSURE}),
    Stage.SETTLED: frozenset({steps.CLOSURE}),
    Stage.CLOSED: frozenset({steps.FILING}),
    Stage.ARCHIVED: frozenset(),
}
FED_BACK_ONCE = frozenset({Stage.FED_BACK, Stage.DISPUTED, Stage.SETTLED})


def problems_of(complaint: Complaint, clocks: Iterable[Clock]) -> list[str]:
    """What is wrong with a complaint, in words for operators; empty when it is sound."""
    in_order = sorted(clocks, key=lambda clock: clock.started_at.ToNanoseconds())
    newest = {clock.name: clock.state for clock in in_order}
    return [*_clock_problems(complaint, newest), *_field_problems(complaint)]


def _clock_problems(complaint: Complaint, clocks: Mapping[str, ClockState]) -> Iterator[str]:
    watched_by = WATCHED_BY[complaint.stage]
    if complaint.stage == Stage.HANDLING and complaint.first_handled_at is None:
        watched_by |= {steps.FIRST_HANDLING}
    for name in sorted(watched_by):
        if name not in clocks:
            yield f"clock {name} was never started"
        # A missed clock has done its work by escalating.
        elif clocks[name] not in {CLOCK_STATE_RUNNING, CLOCK_STATE_MISSED}:
            yield f"clock {name} is {ClockState.Name(clocks[name])} in stage {complaint.stage}"
    for name, state in sorted(clocks.items()):
        own = name in steps.ALL or complaint.stage in ENDED
        if state == CLOCK_STATE_RUNNING and own and name not in watched_by:
            yield f"clock {name} still runs in stage {complaint.stage}"


def _field_problems(complaint: Complaint) -> Iterator[str]:
    withdrawn = complaint.outcome == Outcome.WITHDRAWN
    settled = complaint.stage in ENDED | {Stage.SETTLED}
    requirements = {
        "an owner": bool(complaint.owner),
        "a confirmed class": complaint.classification_confirmed or complaint.stage == Stage.REGISTERED or withdrawn,
        "a handler": bool(complaint.handler) or complaint.stage in {Stage.REGISTERED, Stage.CLASSIFIED} or withdrawn,
        "a result": bool(complaint.result) or complaint.stage not in FED_BACK_ONCE,
        "an outcome": settled == (complaint.outcome != Outcome.OPEN),
        "a summary": bool(complaint.summary) == (complaint.stage in ENDED and not withdrawn),
        "a closing time": (complaint.stage in ENDED) == (complaint.closed_at is not None),
        "a record": (complaint.stage == Stage.ARCHIVED) == (complaint.record_id is not None),
    }
    for what, fulfilled in requirements.items():
        if not fulfilled:
            yield f"{what} is missing or too many in stage {complaint.stage}"
