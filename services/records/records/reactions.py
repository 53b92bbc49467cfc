"""What records does when a case is closed: it files it (REC-01, REC-02)."""

from bihuan.intake.v1.events_pb2 import CaseClosed
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from records.files.commands import file_case
from standards import Standards


def build_reactions(standards: Standards) -> Reactions:
    reactions = Reactions("records")

    @reactions.on(CaseClosed)
    async def case_closed(tx: UnitOfWork, closed: CaseClosed, _received: Received) -> None:
        await file_case(tx, closed, standards)

    return reactions
