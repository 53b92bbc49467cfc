"""Quality's own database for its tests, and a world whose events it hears."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.message import Message
from quality.figures.periods import read_period
from quality.figures.queries import Figure, Scope, figures_of
from quality.observations.commands import remember
from quality.observations.marks import MarkReader
from quality.refresher import Refresher
from servicekit.clock import ManualClock
from servicekit.database import Database
from servicekit.database.tables import outbox
from sqlalchemy import select

from standards import load


class World:
    """What happens elsewhere, and what quality makes of it."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.standards = load()
        self.reader = MarkReader(self.standards.marks)
        self.refresher = Refresher(database, self.standards)

    @property
    def month(self) -> str:
        return f"{self.clock.now():%Y-%m}"

    async def do(self, use_case, *arguments, **keywords):
        async with self.database.transaction("do") as tx:
            return await use_case(tx, *arguments, **keywords)

    async def hear(self, *events: Message, at: datetime | None = None, event_id: UUID | None = None) -> None:
        """Each an hour after the one before, or all `at` one time."""
        for hours, event in enumerate(events):
            occurred_at = at or self.clock.now() + timedelta(hours=hours)
            await self.do(remember, self.reader, [(event, event_id or uuid4(), occurred_at, hours + 1)])
        await self.refresher.catch_up()

    async def figure(self, indicator: str, region: str = "cn", period: str = "") -> Figure:
        (figure,) = await self.figures(indicator, region=region, period=period)
        return figure

    async def figures(self, *indicators: str, region: str = "cn", period: str = "", by: str = "") -> Sequence[Figure]:
        wanted = [self.standards.indicators[name] for name in indicators or self.standards.indicators]
        return await self.do(figures_of, wanted, Scope(read_period(period or self.month), region), by)

    async def told(self, entity: str) -> list[str]:
        """Subjects of what quality told and asked that hold this word, in order, without what all have in common."""
        rows = await self.do(lambda tx: tx.execute(select(outbox.c.subject).order_by(outbox.c.id)))
        return [row.subject.removeprefix("bihuan.") for row in rows if entity in row.subject]


@pytest.fixture
def world(database, manual_clock) -> World:
    return World(database, manual_clock)
