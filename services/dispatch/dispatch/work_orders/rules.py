"""The life cycle of a work order: every move it may make, and what each move brings with it (DSP-03).

Pure: a rule takes the work order and what happened, and returns a Step. A move that is not allowed from the state the
work order is in raises Fault("transition_forbidden"). Every step makes a new version and announces at most one event,
so that a reader who has seen a version knows that older events come too late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bihuan.dispatch.v1 import events_pb2, work_orders_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from servicekit.errors import Fault
from servicekit.windows import Window

from dispatch.engineers.engineer import Engineer
from dispatch.work_orders.work_order import HELD, NOT_STARTED, OPEN, State, WorkOrder

# Clocks of a work order, by their names in standards/clocks.yaml.
ASSIGNMENT = "work_order_assignment"
ACCEPTANCE = "work_order_acceptance"
HANDLING = "work_order_handling"
# Ends when it is time to assign somebody to an appointed visit (DSP-05).
APPOINTMENT_ASSIGNMENT = "appointment_assignment"

# By whom: the machine, in history and events.
SYSTEM = "system"


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. Clocks are cancelled, met and started, in this order."""

    after: WorkOrder
    happened: str
    details: Mapping[str, str] = field(default_factory=dict)
    cancels: tuple[str, ...] = ()
    meets: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    # When what it starts is due, where an appointed time says so.
    due_at: datetime | None = None
    event: Message | None = None


def create(order: WorkOrder) -> Step:
    """The first version; somebody is looked for right after it."""
    event = events_pb2.WorkOrderCreated(
        **_ids(order), work_order_number=order.work_order_number, region=order.region, skill=order.skill
    )
    return Step(order, "work_order_created", starts=(ASSIGNMENT,), event=event)


def plan(order: WorkOrder, *, window: Window, assign_at: datetime) -> Step:
    """It has an appointed time, or another one than before; somebody is assigned shortly before it (DSP-05)."""
    _require(order, "plan", frozenset({State.WAITING, State.PLANNED}))
    after = _changed(
        order,
        state=State.PLANNED,
        window_start=window.start,
        window_end=window.end,
        assignment_reasons=[],
        declined_by=[],
    )
    return Step(
        after,
        "work_order_planned",
        {"appointed_for": window.start.isoformat()},
        cancels=(ASSIGNMENT, APPOINTMENT_ASSIGNMENT),
        starts=(APPOINTMENT_ASSIGNMENT,),
        due_at=assign_at,
    )


def call_up(order: WorkOrder) -> Step:
    """The appointed time is near: somebody is assigned right after it."""
    _require(order, "call_up", frozenset({State.PLANNED}))
    return Step(
        _changed(order, state=State.WAITING),
        "work_order_called_up",
        meets=(APPOINTMENT_ASSIGNMENT,),
        starts=(ASSIGNMENT,),
    )


def assign(
    order: WorkOrder,
    now: datetime,
    *,
    engineer: Engineer,
    reasons: Sequence[str],
    assigned_by: str = SYSTEM,
    note: str = "",
    accept_by: datetime | None = None,
) -> Step:
    """Somebody gets it. One who has set out may still be replaced; one who is on site may not (DSP-04).

    `accept_by`: when they must have accepted it, where an appointed time leaves them longer than usual.
    """
    _require(order, "assign", OPEN - {State.ON_SITE})
    taken_from = order.held_by or order.previous_engineer_id
    moved = taken_from is not None and taken_from != engineer.engineer_id
    after = _changed(
        order,
        state=State.ASSIGNED,
        engineer_id=engineer.engineer_id,
        previous_engineer_id=taken_from if moved else order.previous_engineer_id,
        assignment_reasons=list(reasons),
        reassigned_times=order.reassigned_times + moved,
        assigned_at=now,
        accepted_at=None,
    )
    event = events_pb2.WorkOrderAssigned(
        **_ids(order),
        engineer_id=str(engineer.engineer_id),
        engineer_name=engineer.display_name,
        engineer_user_id=engineer.user_id,
        previous_engineer_id=str(taken_from) if moved else "",
        assigned_by=assigned_by,
        reasons=reasons,
    )
    details = {"engineer_id": str(engineer.engineer_id), "reasons": ", ".join(reasons)}
    return Step(
        after,
        "work_order_assigned",
        {**details, **({"note": note} if note else {})},
        cancels=(ACCEPTANCE, HANDLING, APPOINTMENT_ASSIGNMENT),
        meets=(ASSIGNMENT,),
        starts=(ACCEPTANCE,),
        due_at=accept_by,
        event=event,
    )


def wait(order: WorkOrder, *, reason: str, counts: Mapping[str, int]) -> Step:
    """Nobody suitable is free: the work order waits, and the dispatcher hears why."""
    _require(order, "wait", frozenset({State.WAITING}))
    return Step(
        _changed(order, assignment_reasons=[reason]),
        "work_order_waiting",
        {"reason": reason, **{obstacle: str(count) for obstacle, count in counts.items()}},
        event=events_pb2.WorkOrderWaiting(**_ids(order), reasons=[reason]),
    )


def withdraw(order: WorkOrder, *, because: str, note: str = "", declined: bool = False) -> Step:
    """It is taken away from whoever has it and has not set out; the next one is looked for right after it.

    `declined`: they did not want it or let it lie, and get it again only when nobody else can do it.
    """
    _require(order, "withdraw", NOT_STARTED)
    after = _changed(
        order,
        state=State.WAITING,
        engineer_id=None,
        previous_engineer_id=order.engineer_id,
        assignment_reasons=[],
        assigned_at=None,
        accepted_at=None,
    )
    if declined and order.engineer_id is not None and order.engineer_id not in order.declined_by:
        after.declined_by = [*order.declined_by, order.engineer_id]
    details = {"engineer_id": str(order.engineer_id), "because": because}
    return Step(
        after,
        "work_order_withdrawn",
        {**details, **({"note": note} if note else {})},
        cancels=(ACCEPTANCE, HANDLING),
        starts=(ASSIGNMENT,),
    )


def reject(order: WorkOrder, *, reason: str) -> Step:
    """Gives it back before accepting it."""
    _require(order, "reject", frozenset({State.ASSIGNED}))
    return withdraw(order, because="rejected", note=reason, declined=True)


def accept(order: WorkOrder, now: datetime) -> Step:
    """The engineer takes it on: from now on the handling clock runs."""
    _require(order, "accept", frozenset({State.ASSIGNED}))
    return Step(
        _changed(order, state=State.ACCEPTED, accepted_at=now),
        "work_order_accepted",
        meets=(ACCEPTANCE,),
        starts=(HANDLING,),
        event=events_pb2.WorkOrderAccepted(**_ids(order), engineer_id=str(order.engineer_id)),
    )


def start_travel(order: WorkOrder) -> Step:
    _require(order, "start_travel", frozenset({State.ACCEPTED}))
    return Step(
        _changed(order, state=State.TRAVELLING),
        "travel_started",
        event=events_pb2.WorkOrderTravelStarted(**_ids(order), engineer_id=str(order.engineer_id)),
    )


def arrive(order: WorkOrder, now: datetime) -> Step:
    """On site. Travel need not be reported apart."""
    _require(order, "arrive", frozenset({State.ACCEPTED, State.TRAVELLING}))
    return Step(
        _changed(order, state=State.ON_SITE, arrived_at=now),
        "arrived_on_site",
        event=events_pb2.WorkOrderArrived(**_ids(order), engineer_id=str(order.engineer_id)),
    )


def complete(order: WorkOrder, now: datetime, *, report: work_orders_pb2.Report, told: work_orders_pb2.Report) -> Step:
    """Done, with what was found, done and used; `told`: the same as the asker gets it."""
    _require(order, "complete", frozenset({State.ON_SITE}))
    event = events_pb2.WorkOrderCompleted(**_ids(order), engineer_id=str(order.engineer_id), report=told)
    event.finished_at.FromDatetime(now)
    return Step(
        _changed(
            order,
            state=State.DONE,
            finished_at=now,
            report=MessageToDict(report, preserving_proto_field_name=True),
        ),
        "work_order_completed",
        meets=(HANDLING,),
        event=event,
    )


def fail(order: WorkOrder, now: datetime, *, failure: str, told: str) -> Step:
    """It could not be done. That too is an answer in time: the handling clock is met. `told`: why, as the asker gets
    it."""
    _require(order, "fail", HELD - {State.ASSIGNED})
    return Step(
        _changed(order, state=State.FAILED, finished_at=now, failure=failure),
        "work_order_failed",
        {"failure": failure},
        meets=(HANDLING,),
        event=events_pb2.WorkOrderFailed(**_ids(order), engineer_id=str(order.engineer_id), failure=told),
    )


def cancel(order: WorkOrder, now: datetime, *, reason: str) -> Step:
    """No longer wanted. Possible from every open state, and final."""
    _require(order, "cancel", OPEN)
    return Step(
        _changed(order, state=State.CANCELLED, finished_at=now, failure=reason),
        "work_order_cancelled",
        {"reason": reason},
        cancels=(ASSIGNMENT, ACCEPTANCE, HANDLING, APPOINTMENT_ASSIGNMENT),
        event=events_pb2.WorkOrderCancelled(**_ids(order), reason=reason),
    )


def _require(order: WorkOrder, action: str, allowed: frozenset[State]) -> None:
    if order.state not in allowed:
        raise Fault("transition_forbidden", action=action, state=order.state.value)


def _changed(order: WorkOrder, **changes: Any) -> WorkOrder:
    return order.model_copy(update={"version": order.version + 1, **changes})


def _ids(order: WorkOrder) -> dict[str, Any]:
    return {"work_order_id": str(order.work_order_id), "case_id": str(order.case_id), "asked_by": order.asked_by}
