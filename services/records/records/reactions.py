"""What records does on events of others: files what was closed, notes who was erased (REC-01, REC-02, REC-06)."""

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed, CustomerErased
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from records.files.commands import file_closed
from records.log.entries import Kind, enter
from standards import Standards


def build_reactions(standards: Standards) -> Reactions:
    reactions = Reactions("records")

    @reactions.on(CaseClosed)
    async def case_closed(tx: UnitOfWork, closed: CaseClosed, _received: Received) -> None:
        await file_closed(tx, closed, standards)

    @reactions.on(ComplaintClosed)
    async def complaint_closed(tx: UnitOfWork, closed: ComplaintClosed, _received: Received) -> None:
        await file_closed(tx, closed, standards)

    @reactions.on(CustomerErased)
    async def customer_erased(tx: UnitOfWork, erased: CustomerErased, received: Received) -> None:
        """The key is gone, and with it what every record says of the customer. The log remembers when."""
        facts = {"customer_id": erased.customer_id, "event_id": str(received.event_id)}
        await enter(tx, Kind.CUSTOMER_ERASED, facts)

    return reactions
