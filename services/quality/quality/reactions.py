"""What quality does on the events of others: it remembers what the standards name, nothing else (QLT-01, QLT-02)."""

from collections.abc import Sequence

from bihuan.complaints.v1.events_pb2 import IndicatorImprovementChanged
from servicekit.database import UnitOfWork
from servicekit.messaging import Happening, Reactions, Received

from quality.alerts.improvements import note_improvement
from quality.observations.commands import remember
from quality.observations.marks import MarkReader
from quality.refresher import Refresher


def build_reactions(reader: MarkReader, refresher: Refresher) -> Reactions:
    reactions = Reactions("quality")

    @reactions.on_many(reader.kinds.values())
    async def remember_events(tx: UnitOfWork, happenings: Sequence[Happening]) -> None:
        events = [(event, got.event_id, got.occurred_at, got.entity_version) for event, got in happenings]
        await remember(tx, reader, events)
        tx.after_commit(refresher.wake)

    @reactions.on(IndicatorImprovementChanged)
    async def improvement_changed(tx: UnitOfWork, event: IndicatorImprovementChanged, received: Received) -> None:
        await note_improvement(tx, event, version=received.entity_version)

    return reactions
