"""What happens when quality's clock comes due: a period is closed (QLT-08)."""

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from quality.figures.periods import read_period
from quality.reports.closing import CLOCK, close_period
from standards import Standards


def build_clocks(standards: Standards) -> DeadlineHandlers:
    clocks = DeadlineHandlers()

    @clocks.missed(CLOCK)
    async def close(tx: UnitOfWork, deadline: Deadline) -> None:
        """The subject of the clock is the month."""
        await close_period(tx, standards, read_period(deadline.subject_id))

    return clocks
