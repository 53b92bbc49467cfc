"""What the service does on the events of all others: it passes them on to the partners that may see them."""

from collections.abc import Callable
from functools import partial

from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received
from servicekit.messaging.sharing import SharedEvent, shared_events

from partners.feed.passing import pass_on


def build_reactions(wake_courier: Callable[[], None]) -> Reactions:
    """`wake_courier` is called after every commit that may have left webhook deliveries."""
    reactions = Reactions("partners")

    async def react(shared: SharedEvent, tx: UnitOfWork, event: Message, received: Received) -> None:
        await pass_on(tx, event, received, shared)
        tx.after_commit(wake_courier)

    for shared in shared_events():
        reactions.on(shared.kind)(partial(react, shared))
    return reactions
