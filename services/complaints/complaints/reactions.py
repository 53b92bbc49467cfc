"""What complaints does for intake and quality, and on what dispatch, records and intake tell."""

from uuid import UUID

from bihuan.complaints.v1 import commands_pb2
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import events_pb2 as intake_events
from bihuan.records.v1 import events_pb2 as records_events
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.messaging import NotYet, Reactions, Received

from complaints import investigations
from complaints.complainants import KEYS, open_words, seal_words
from complaints.complaints import store
from complaints.complaints.belongings import find_investigation
from complaints.complaints.closing import archive_complaint, withdraw_with_case
from complaints.complaints.complaint import Stage
from complaints.complaints.registering import take_over_case
from complaints.complaints.steps import noted
from complaints.desk import Desk
from complaints.indicator_improvements.commands import open_improvement
from complaints.investigations import ASKED_BY, InvestigationState

SYSTEM = "system"
RECORD_CLASS = "complaint"


def build_reactions(desk: Desk) -> Reactions:
    reactions = Reactions("complaints")

    @reactions.on(commands_pb2.RegisterComplaint)
    async def register(tx: UnitOfWork, command: commands_pb2.RegisterComplaint, _received: Received) -> None:
        await take_over_case(tx, desk, command)

    @reactions.on(commands_pb2.WithdrawComplaint)
    async def withdraw(tx: UnitOfWork, command: commands_pb2.WithdrawComplaint, _received: Received) -> None:
        if not await withdraw_with_case(tx, command):
            raise NotYet("the complaint to withdraw is not registered yet")

    @reactions.on(commands_pb2.OpenImprovement)
    async def improve(tx: UnitOfWork, command: commands_pb2.OpenImprovement, _received: Received) -> None:
        await open_improvement(tx, desk.standards, command)

    @reactions.on(dispatch_events.WorkOrderCompleted)
    async def completed(tx: UnitOfWork, event: dispatch_events.WorkOrderCompleted, _received: Received) -> None:
        if event.asked_by == ASKED_BY:
            found = (event.report.found, event.report.done)
            await _end_investigation(tx, desk, event.work_order_id, InvestigationState.DONE, *found)

    @reactions.on(dispatch_events.WorkOrderFailed)
    async def failed(tx: UnitOfWork, event: dispatch_events.WorkOrderFailed, _received: Received) -> None:
        if event.asked_by == ASKED_BY:
            await _end_investigation(tx, desk, event.work_order_id, InvestigationState.FAILED, event.failure)

    @reactions.on(dispatch_events.WorkOrderCancelled)
    async def cancelled(tx: UnitOfWork, event: dispatch_events.WorkOrderCancelled, _received: Received) -> None:
        if event.asked_by == ASKED_BY:
            await _end_investigation(tx, desk, event.work_order_id, InvestigationState.FAILED, event.reason)

    @reactions.on(intake_events.CustomerErased)
    async def customer_erased(tx: UnitOfWork, event: intake_events.CustomerErased, _received: Received) -> None:
        await KEYS.erase(tx, UUID(event.customer_id))

    @reactions.on(records_events.RecordFiled)
    async def record_filed(tx: UnitOfWork, event: records_events.RecordFiled, _received: Received) -> None:
        if event.record_class != RECORD_CLASS:
            return
        complaint = await store.lock(tx, event.case_id)
        if complaint.stage == Stage.CLOSED:
            await archive_complaint(tx, complaint, record_id=UUID(event.record_id))
        elif complaint.stage == Stage.ARCHIVED:
            correction = noted(complaint, "record_corrected", record_id=event.record_id, version=str(event.version))
            await store.save(tx, complaint, correction, actor=SYSTEM)
        else:
            raise NotYet(f"the complaint is filed but still {complaint.stage.value} here")

    return reactions


async def _end_investigation(
    tx: UnitOfWork, desk: Desk, work_order_id: str, state: InvestigationState, *told: str
) -> None:
    """`told`: what dispatch says was found, sealed for us. Raises Fault("work_order_unknown") for an outcome that
    nobody here waits for."""
    asked = await find_investigation(tx, UUID(work_order_id))
    if asked is None:
        raise Fault("work_order_unknown")
    complaint = await store.lock(tx, str(asked.complaint_id))
    # Read again behind the lock: the same outcome may have been told twice at once.
    investigation = await find_investigation(tx, UUID(work_order_id)) or asked
    words = "\n".join(await open_words(tx, desk.sealer, complaint, *told))
    (findings,) = await seal_words(tx, desk.sealer, complaint, words)
    step = investigations.end(complaint, investigation, tx.now, state=state, findings=findings)
    await store.save(tx, complaint, step, actor=SYSTEM)
