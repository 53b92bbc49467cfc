"""What intake does when complaints tells how a complaint goes on that was a case before (INT-02)."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from bihuan.complaints.v1 import events_pb2
from bihuan.complaints.v1.complaints_pb2 import COMPLAINT_OUTCOME_WITHDRAWN
from servicekit.customerkeys import is_sealed
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from intake.cases import complaints, store
from intake.cases.case import Case
from intake.cases.closing import withdraw_with_complaint
from intake.cases.steps import Step, noted
from intake.cases.texts import seal_result
from intake.desk import Desk

News = (
    events_pb2.ComplaintResultFedBack
    | events_pb2.ComplaintSettled
    | events_pb2.ComplaintReopened
    | events_pb2.DisputeStageOpened
)


def react_on_complaints(reactions: Reactions, desk: Desk) -> None:
    @reactions.on(events_pb2.ComplaintResultFedBack)
    async def fed_back(tx: UnitOfWork, event: events_pb2.ComplaintResultFedBack, _received: Received) -> None:
        handled_at = min(event.handled_at.ToDatetime(UTC), tx.now)
        await _deliver(tx, desk, event, handled_at=handled_at)

    @reactions.on(events_pb2.ComplaintSettled)
    async def settled(tx: UnitOfWork, event: events_pb2.ComplaintSettled, _received: Received) -> None:
        await _deliver(tx, desk, event, handled_at=tx.now)

    @reactions.on(events_pb2.ComplaintReopened)
    async def reopened(tx: UnitOfWork, event: events_pb2.ComplaintReopened, _received: Received) -> None:
        await _follow(tx, event, lambda case: complaints.taken_back(case, tx.now))

    @reactions.on(events_pb2.DisputeStageOpened)
    async def disputed(tx: UnitOfWork, event: events_pb2.DisputeStageOpened, _received: Received) -> None:
        await _follow(tx, event, lambda case: complaints.taken_back(case, tx.now))

    @reactions.on(events_pb2.ComplaintClosed)
    async def closed(tx: UnitOfWork, event: events_pb2.ComplaintClosed, _received: Received) -> None:
        if not event.case_id or event.snapshot.outcome != COMPLAINT_OUTCOME_WITHDRAWN:
            return
        case = await store.lock(tx, event.case_id)
        if complaints.follows(case, UUID(event.complaint_id)) and complaints.withdrawable(case):
            await withdraw_with_complaint(tx, case, actor=complaints.HANDLER)


async def _deliver(
    tx: UnitOfWork,
    desk: Desk,
    event: events_pb2.ComplaintResultFedBack | events_pb2.ComplaintSettled,
    *,
    handled_at: datetime,
) -> None:
    """The result comes sealed for us, or in clear from a complaints that had no key for it yet."""
    if not event.case_id:
        return
    result = event.result
    if not is_sealed(result):
        result = await seal_result(tx, desk, await store.lock(tx, event.case_id), result)
    await _follow(tx, event, lambda case: complaints.resulted(case, tx.now, result=result, handled_at=handled_at))


async def _follow(tx: UnitOfWork, event: News, rule: Callable[[Case], Step]) -> None:
    """Moves the case by `rule` when it still follows this complaint; complaints without a case are none of ours."""
    if not event.case_id:
        return
    case = await store.lock(tx, event.case_id)
    if complaints.follows(case, UUID(event.complaint_id)):
        step = rule(case)
    else:
        step = noted(case, "late_report_ignored", report=event.DESCRIPTOR.name, complaint_id=event.complaint_id)
    await store.save(tx, case, step, actor=complaints.HANDLER)
