"""Whether a work order's state, clocks and fields fit together: the loop check's rule for one work order. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING, Clock, ClockState

from dispatch.work_orders import rules
from dispatch.work_orders.work_order import HELD, OPEN, State, WorkOrder

# The clock that watches a work order in each open state.
WATCHED_BY: Mapping[State, str] = {
    State.PLANNED: rules.APPOINTMENT_ASSIGNMENT,
    State.WAITING: rules.ASSIGNMENT,
    State.ASSIGNED: rules.ACCEPTANCE,
    State.ACCEPTED: rules.HANDLING,
    State.TRAVELLING: rules.HANDLING,
    State.ON_SITE: rules.HANDLING,
}


def problems_of(order: WorkOrder, clocks: Iterable[Clock]) -> list[str]:
    """What is wrong with a work order, in words for operators; empty when it is sound."""
    # In the order in which they were started, so that the newest of a name counts.
    return [*_clock_problems(order, {clock.name: clock.state for clock in clocks}), *_field_problems(order)]


def _clock_problems(order: WorkOrder, clocks: Mapping[str, ClockState]) -> Iterator[str]:
    watched_by = WATCHED_BY.get(order.state)
    if watched_by is not None:
        # A missed clock has done its work by telling; only what nobody accepts must have been taken away at once, and
        # an appointed visit have been called up.
        ends_it = order.state in {State.ASSIGNED, State.PLANNED}
        allowed = {CLOCK_STATE_RUNNING} if ends_it else {CLOCK_STATE_RUNNING, CLOCK_STATE_MISSED}
        if watched_by not in clocks:
            yield f"clock {watched_by} was never started"
        elif clocks[watched_by] not in allowed:
            yield f"clock {watched_by} is {ClockState.Name(clocks[watched_by])} in state {order.state}"
    for name, state in sorted(clocks.items()):
        if state == CLOCK_STATE_RUNNING and name != watched_by:
            yield f"clock {name} still runs in state {order.state}"


def _field_problems(order: WorkOrder) -> Iterator[str]:
    done, failed = order.state == State.DONE, order.state in {State.FAILED, State.CANCELLED}
    requirements = {
        "an engineer": order.engineer_id is not None or order.state not in HELD | {State.DONE, State.FAILED},
        "nobody": order.state not in {State.WAITING, State.PLANNED} or order.engineer_id is None,
        "an appointed time": order.state != State.PLANNED or order.window is not None,
        "a report": (order.report is not None) == done,
        "a reason": bool(order.failure) == failed,
        "an end": (order.finished_at is None) == (order.state in OPEN),
        "why it waits": order.state != State.WAITING or bool(order.assignment_reasons),
    }
    for what, fulfilled in requirements.items():
        if not fulfilled:
            yield f"{what} is expected in state {order.state}"
