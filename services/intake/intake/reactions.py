"""What intake does when other services tell what happened: dispatch about visits, about the slots of appointments
(appointmentnews.py) and about incidents (incidentnews.py), records about the archive, complaints about what was handed
to it (complaintnews.py).

Every report is kept in the history of its case. Those about a work order that the case doesn't wait for change nothing
(see cases/visits.py), so late, repeated and reordered reports are harmless.
"""

from collections.abc import Callable
from datetime import UTC
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.records.v1 import events_pb2 as records_events
from servicekit.customerkeys import open_text, seal_text
from servicekit.database import UnitOfWork
from servicekit.messaging import NotYet, Reactions, Received

from intake.appointmentnews import note_arrival, react_on_reservations
from intake.cases import store, visits
from intake.cases.case import Case, Stage
from intake.cases.closing import archive_case
from intake.cases.results import result_of
from intake.cases.steps import Step, noted
from intake.cases.visits import Engineer
from intake.complaintnews import react_on_complaints
from intake.customers.store import find_key
from intake.desk import Desk
from intake.incidentnews import react_on_incidents

SYSTEM = "system"
# How dispatch names us where it says who asked for a work order.
ASKER = "intake"
# How records calls what is filed of a case; events from before it said so are about cases.
RECORD_CLASSES = frozenset({"", "service_case"})


def build_reactions(desk: Desk) -> Reactions:
    reactions = Reactions("intake")

    @reactions.on(dispatch_events.WorkOrderAssigned)
    async def assigned(tx: UnitOfWork, event: dispatch_events.WorkOrderAssigned, received: Received) -> None:
        engineer = Engineer(event.engineer_id, event.engineer_user_id, event.engineer_name)
        version = received.entity_version
        await _follow(
            tx,
            event,
            received,
            lambda case: visits.assigned(case, tx.now, engineer=engineer, version=version),
            actor=event.assigned_by or SYSTEM,
        )

    @reactions.on(dispatch_events.WorkOrderAccepted)
    async def accepted(tx: UnitOfWork, event: dispatch_events.WorkOrderAccepted, received: Received) -> None:
        engineer, version = Engineer(event.engineer_id), received.entity_version
        await _follow(
            tx,
            event,
            received,
            lambda case: visits.accepted(case, tx.now, engineer=engineer, version=version),
            actor=event.engineer_id,
        )

    @reactions.on(dispatch_events.WorkOrderCompleted)
    async def completed(tx: UnitOfWork, event: dispatch_events.WorkOrderCompleted, received: Received) -> None:
        if not _is_ours(event):
            return
        finished_at = min(event.finished_at.ToDatetime(UTC), tx.now)
        result = await _result_of(tx, desk, event)
        await _follow(
            tx,
            event,
            received,
            lambda case: visits.completed(
                case,
                tx.now,
                engineer=Engineer(event.engineer_id),
                result=result,
                finished_at=finished_at,
            ),
            actor=event.engineer_id,
        )

    @reactions.on(dispatch_events.WorkOrderFailed)
    async def failed(tx: UnitOfWork, event: dispatch_events.WorkOrderFailed, received: Received) -> None:
        await _follow(tx, event, received, lambda case: visits.broken_off(case, tx.now), actor=event.engineer_id)

    @reactions.on(dispatch_events.WorkOrderCancelled)
    async def cancelled(tx: UnitOfWork, event: dispatch_events.WorkOrderCancelled, received: Received) -> None:
        await _follow(tx, event, received, lambda case: visits.broken_off(case, tx.now), actor=SYSTEM)

    @reactions.on(dispatch_events.WorkOrderCreated)
    async def created(tx: UnitOfWork, event: dispatch_events.WorkOrderCreated, _received: Received) -> None:
        number = event.work_order_number
        await _note(tx, event, "work_order_created", SYSTEM, work_order_number=number)

    @reactions.on(dispatch_events.WorkOrderWaiting)
    async def waiting(tx: UnitOfWork, event: dispatch_events.WorkOrderWaiting, _received: Received) -> None:
        reasons = ", ".join(event.reasons)
        await _note(tx, event, "work_order_waiting", SYSTEM, reasons=reasons)

    @reactions.on(dispatch_events.WorkOrderTravelStarted)
    async def travel_started(
        tx: UnitOfWork, event: dispatch_events.WorkOrderTravelStarted, _received: Received
    ) -> None:
        await _note(tx, event, "travel_started", event.engineer_id)

    @reactions.on(dispatch_events.WorkOrderArrived)
    async def arrived(tx: UnitOfWork, event: dispatch_events.WorkOrderArrived, _received: Received) -> None:
        await _note(tx, event, "engineer_arrived", event.engineer_id)
        if _is_ours(event):
            await note_arrival(tx, desk, UUID(event.work_order_id))

    @reactions.on(records_events.RecordFiled)
    async def record_filed(tx: UnitOfWork, event: records_events.RecordFiled, _received: Received) -> None:
        if event.record_class not in RECORD_CLASSES:
            return
        case = await store.lock(tx, event.case_id)
        if case.stage == Stage.CLOSED:
            await archive_case(tx, desk, case, record_id=UUID(event.record_id), actor=SYSTEM)
        elif case.stage == Stage.ARCHIVED:
            correction = noted(case, "record_corrected", record_id=event.record_id, version=str(event.version))
            await store.save(tx, case, correction, actor=SYSTEM)
        else:
            raise NotYet(f"the case is filed but still {case.stage.value} here")

    react_on_complaints(reactions, desk)
    react_on_reservations(reactions, desk)
    react_on_incidents(reactions, desk)
    return reactions


WorkOrderReport = (
    dispatch_events.WorkOrderAssigned
    | dispatch_events.WorkOrderAccepted
    | dispatch_events.WorkOrderCompleted
    | dispatch_events.WorkOrderFailed
    | dispatch_events.WorkOrderCancelled
)


WorkOrderNews = (
    dispatch_events.WorkOrderCreated
    | dispatch_events.WorkOrderWaiting
    | dispatch_events.WorkOrderTravelStarted
    | dispatch_events.WorkOrderArrived
)


def _is_ours(event: WorkOrderReport | WorkOrderNews) -> bool:
    """Others ask dispatch too; events from before dispatch named the asker are about cases."""
    return event.asked_by in {"", ASKER}


async def _result_of(tx: UnitOfWork, desk: Desk, event: dispatch_events.WorkOrderCompleted) -> str:
    """What dispatch has sealed for us, as the customer is told it, sealed for the case."""
    case = await store.lock(tx, event.case_id)
    key = await find_key(tx, case.customer_id)
    found, done = (open_text(desk.sealer, key, text) for text in (event.report.found, event.report.done))
    return seal_text(desk.sealer, key, result_of(found, done, case.language))


async def _follow(
    tx: UnitOfWork, event: WorkOrderReport, received: Received, rule: Callable[[Case], Step], *, actor: str
) -> None:
    """Moves the case by `rule` when it still follows this work order; else only notes the report."""
    if not _is_ours(event):
        return
    case, work_order_id = await store.lock(tx, event.case_id), UUID(event.work_order_id)
    if visits.follows(case, work_order_id, received.entity_version):
        step = rule(case)
    else:
        step = visits.stale(case, event.DESCRIPTOR.name, work_order_id)
    await store.save(tx, case, step, actor=actor)


async def _note(tx: UnitOfWork, event: WorkOrderNews, happened: str, actor: str, **details: str) -> None:
    if not _is_ours(event):
        return
    case = await store.lock(tx, event.case_id)
    await store.save(tx, case, noted(case, happened, **details), actor=actor)
