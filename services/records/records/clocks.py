"""What happens when the clocks of requests run out (REC-03).

Every mark is announced by the kit as ClockWarned or ClockMissed.
"""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from records.accesses.commands import expire_access
from records.policy import APPROVAL, OPENING


def build_clocks() -> DeadlineHandlers:
    clocks = DeadlineHandlers()

    @clocks.missed(APPROVAL, OPENING)
    async def end_request(tx: UnitOfWork, deadline: Deadline) -> None:
        """Nobody decided in time, or the time for opening is over."""
        await expire_access(tx, UUID(deadline.subject_id))

    return clocks
