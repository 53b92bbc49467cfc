"""What records does when a case or a complaint is closed: it files it (REC-01, REC-02)."""

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from records.files.commands import file_closed
from standards import Standards


def build_reactions(standards: Standards) -> Reactions:
    reactions = Reactions("records")

    @reactions.on(CaseClosed)
    async def case_closed(tx: UnitOfWork, closed: CaseClosed, _received: Received) -> None:
        await file_closed(tx, closed, standards)

    @reactions.on(ComplaintClosed)
    async def complaint_closed(tx: UnitOfWork, closed: ComplaintClosed, _received: Received) -> None:
        await file_closed(tx, closed, standards)

    return reactions
