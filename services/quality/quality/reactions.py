"""What quality does on the events of others: it remembers what the standards name, nothing else (QLT-01, QLT-02)."""

from bihuan.complaints.v1.events_pb2 import IndicatorImprovementChanged
from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received

from quality.alerts.improvements import note_improvement
from quality.observations.commands import remember
from quality.observations.marks import MarkReader
from quality.refresher import Refresher


def build_reactions(reader: MarkReader, refresher: Refresher) -> Reactions:
    reactions = Reactions("quality")

    async def remember_event(tx: UnitOfWork, event: Message, received: Received) -> None:
        await remember(
            tx,
            reader,
            event,
            event_id=received.event_id,
            occurred_at=received.occurred_at,
            version=received.entity_version,
        )
        tx.after_commit(refresher.wake)

    for kind in reader.kinds.values():
        reactions.on(kind)(remember_event)

    @reactions.on(IndicatorImprovementChanged)
    async def improvement_changed(tx: UnitOfWork, event: IndicatorImprovementChanged, received: Received) -> None:
        await note_improvement(tx, event, version=received.entity_version)

    return reactions
