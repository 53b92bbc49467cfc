"""Figures follow at once; looking for alerts adds up whole months, and rests in between (QLT-02, QLT-03)."""

import asyncio
from collections import Counter
from copy import copy
from uuid import uuid4

import pytest
from happenings import MANAGER, a_case
from quality.alerts.queries import list_alerts
from quality.alerts.watching import INTERVAL
from quality.observations.commands import remember, replay
from quality.observations.tables import OBSERVATIONS
from quality.rebuilding import begin_rebuild, finish_rebuild
from quality.refresher import Refresher
from servicekit.testing.waiting import eventually, running
from sqlalchemy import select


class Counted:
    """A database that counts what is run on it, by name, and takes its time over looks for alerts."""

    def __init__(self, database, *, seconds=0.0) -> None:
        self._database = database
        self._seconds = seconds
        self.runs = Counter()

    async def run(self, name, work):
        result = await self._database.run(name, work)
        await asyncio.sleep(self._seconds if name == "watch_figures" else 0)
        self.runs[name] += 1
        return result


def _looking_every(world, seconds):
    threshold = world.standards.thresholds[INTERVAL].model_copy(update={"value": seconds})
    standards = copy(world.standards)
    standards.thresholds = {**world.standards.thresholds, INTERVAL: threshold}
    return standards


def _happened(world, score: int):
    return [(event, uuid4(), world.clock.now(), version) for version, event in enumerate(a_case(score), start=1)]


async def _happen(world, refresher, score: int, count: int) -> None:
    await world.do(remember, world.reader, _happened(world, score))
    refresher.wake()

    async def formed() -> bool:
        return (await world.figure("satisfaction")).sample == count

    await eventually(formed)


@pytest.mark.parametrize(("pause", "seconds"), [(600, 0), (0, 2)])
async def test_figures_follow_at_once_and_looks_for_alerts_rest_in_between(world, pause, seconds):
    database = Counted(world.database, seconds=seconds)
    refresher = Refresher(database, _looking_every(world, pause))
    async with running(refresher.run()):
        await eventually(lambda: database.runs["watch_figures"] == 1)
        for count in (1, 2, 3):
            await _happen(world, refresher, 1, count)
    assert database.runs["watch_figures"] == 1


async def test_what_is_touched_between_two_looks_is_looked_at_then(world):
    database = Counted(world.database)
    refresher = Refresher(database, _looking_every(world, 1))

    async def raised() -> bool:
        asked = {"only_open": True, "indicator": "satisfaction", "region": "", "before": None, "limit": 9}
        return len(await world.do(list_alerts, MANAGER, **asked)) == 2

    async with running(refresher.run()):
        await eventually(lambda: database.runs["watch_figures"] == 1)
        for count in (1, 2, 3, 4, 5):
            await _happen(world, refresher, 1, count)
        await eventually(raised)


class Interrupted(Counted):
    """A database on which something happens in the middle of the next look for alerts, after its figures were read."""

    def __init__(self, database) -> None:
        super().__init__(database)
        self.interrupt = None

    async def run(self, name, work):
        interrupt, self.interrupt = (self.interrupt, None) if name == "watch_figures" else (None, self.interrupt)
        result = await super().run(name, work)
        if interrupt is not None:
            await interrupt()
        return result


async def test_what_is_begun_anew_during_a_look_is_looked_at_once_more(world):
    """The look has added up the figures from before a rebuild: an alert that it raises or leaves may be out of date."""
    database = Interrupted(world.database)
    refresher = Refresher(database, _looking_every(world, 600))
    await world.do(remember, world.reader, _happened(world, 5))
    generation = await world.do(begin_rebuild, world.standards, log_begins_at=None)

    async def rebuilt() -> None:
        known = [happened for _ in range(5) for happened in _happened(world, 1)]
        await world.do(replay, world.reader, generation, known)
        await world.do(finish_rebuild, world.standards, generation)
        refresher.begin_anew()

    async def raised() -> bool:
        asked = {"only_open": True, "indicator": "satisfaction", "region": "", "before": None, "limit": 9}
        return len(await world.do(list_alerts, MANAGER, **asked)) == 2

    async def thrown_away() -> bool:
        found = await world.do(lambda tx: tx.execute(select(OBSERVATIONS.c.generation).distinct()))
        return set(found.scalars()) == {generation}

    database.interrupt = rebuilt
    async with running(refresher.run()):
        await eventually(raised)
        await eventually(thrown_away)
    assert database.runs["watch_figures"] == 2
