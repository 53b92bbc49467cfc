"""What the service does on the events of all others: it passes them on to the partners that may see them."""

from collections.abc import Callable, Sequence

from servicekit.database import UnitOfWork
from servicekit.messaging import Happening, Reactions
from servicekit.messaging.sharing import shared_events

from partners.feed.passing import pass_on


def build_reactions(wake_courier: Callable[[], None]) -> Reactions:
    """`wake_courier` is called after every commit that has left webhook deliveries."""
    reactions = Reactions("partners")

    @reactions.on_many(shared.kind for shared in shared_events())
    async def react(tx: UnitOfWork, happenings: Sequence[Happening]) -> None:
        if await pass_on(tx, happenings):
            tx.after_commit(wake_courier)

    return reactions
