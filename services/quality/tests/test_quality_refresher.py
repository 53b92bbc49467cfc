"""Figures follow at once; looking for alerts adds up whole months, and rests in between (QLT-02, QLT-03)."""

import asyncio
from collections import Counter
from copy import copy
from uuid import uuid4

import pytest
from happenings import MANAGER, a_case
from quality.alerts.queries import list_alerts
from quality.alerts.watching import INTERVAL
from quality.observations.commands import remember
from quality.refresher import Refresher
from servicekit.testing.waiting import eventually, running


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


async def _happen(world, refresher, score: int, count: int) -> None:
    events = [(event, uuid4(), world.clock.now(), version) for version, event in enumerate(a_case(score), start=1)]
    await world.do(remember, world.reader, events)
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
