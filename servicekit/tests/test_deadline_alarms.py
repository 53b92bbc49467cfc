"""A clock that fires before all others wakes the runner of its process at once."""

import asyncio
from datetime import timedelta

from servicekit.deadlines import Start
from servicekit.deadlines.alarms import Alarm, alarm_of

from servicekit import deadlines


async def has_rung(alarm: Alarm) -> bool:
    waiting = asyncio.ensure_future(alarm.rung())
    await asyncio.sleep(0)
    rung = waiting.done()
    waiting.cancel()
    return rung


async def test_only_an_earlier_mark_wakes(manual_clock):
    alarm, now = Alarm(), manual_clock.now()
    alarm.reset()
    alarm.expect(now)
    alarm.ring(now + timedelta(seconds=1))
    assert not await has_rung(alarm)
    alarm.ring(now - timedelta(seconds=1))
    assert await has_rung(alarm)


async def test_everything_wakes_a_runner_that_expects_nothing(manual_clock):
    alarm = Alarm()
    alarm.reset()
    alarm.expect(None)
    alarm.ring(manual_clock.now())
    assert await has_rung(alarm)
    alarm.reset()
    assert not await has_rung(alarm)


async def test_what_is_committed_while_the_runner_looks_wakes_it_only_where_it_has_not_seen_it(manual_clock):
    alarm, now = Alarm(), manual_clock.now()
    alarm.reset()
    alarm.ring(now)
    assert not await has_rung(alarm)
    alarm.expect(now)
    assert not await has_rung(alarm)
    alarm.reset()
    alarm.ring(now)
    alarm.expect(now + timedelta(seconds=1))
    assert await has_rung(alarm)


async def test_it_rings_after_the_commit_and_not_before(database):
    alarm = alarm_of(database.engine.sync_engine)
    alarm.expect(None)
    async with database.transaction("start") as tx:
        await deadlines.start(tx, [Start("handling", "case")])
        assert not await has_rung(alarm)
    await alarm.rung()
