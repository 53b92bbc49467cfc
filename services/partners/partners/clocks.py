"""What happens when a partner's time is over (GWY-05)."""

from collections.abc import Callable

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from partners.policy import PARTNER_ACCESS
from partners.registry.commands import end_when_time_is_over


def build_clocks(wake_provisioner: Callable[[], None]) -> DeadlineHandlers:
    clocks = DeadlineHandlers()

    @clocks.missed(PARTNER_ACCESS)
    async def end_access(tx: UnitOfWork, deadline: Deadline) -> None:
        await end_when_time_is_over(tx, deadline.subject_id)
        tx.after_commit(wake_provisioner)

    return clocks
