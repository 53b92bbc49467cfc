"""The platform's clock: one offset for all processes, only forward, known even while NATS is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from hypothesis import given
from hypothesis import strategies as st
from nats.js import JetStreamContext
from servicekit.clock import AdjustableClock, Clock, ManualClock, SystemClock, advance, read_offset
from servicekit.database import Database
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging import Bus
from servicekit.messaging.streams import OPERATOR, provision
from servicekit.service import learn_time
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@given(st.lists(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=100)), max_size=20))
def test_manual_clock_is_the_sum_of_its_steps(steps: list[timedelta]) -> None:
    clock = ManualClock(START)
    for step in steps:
        before = clock.now()
        clock.advance(step)
        assert clock.now() >= before
    assert clock.now() == START + sum(steps, timedelta())


def test_manual_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        ManualClock(START).advance(timedelta(seconds=-1))


async def test_waiting_ends_when_the_clock_is_moved_there() -> None:
    clock = ManualClock(START)
    waiting = asyncio.create_task(clock.wait_until(START + timedelta(days=10)))
    await asyncio.sleep(0)
    clock.advance(timedelta(days=9))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(timedelta(days=1))
    await waiting


async def test_real_time_is_waited_for() -> None:
    clock: Clock = SystemClock()
    moment = clock.now() + timedelta(milliseconds=50)
    await clock.wait_until(moment)
    assert clock.now() >= moment


async def test_every_process_follows(bus: Bus, nats_server: EmbeddedNats, operator: JetStreamContext) -> None:
    async with connect(nats_server, "dispatch") as other_bus:
        clock, other = AdjustableClock(bus), AdjustableClock(other_bus)
        async with running(clock.follow(), other.follow()):
            await clock.ready()
            await other.ready()
            assert clock.offset == timedelta()
            waiting = asyncio.create_task(other.wait_until(datetime.now(UTC) + timedelta(days=10)))
            changes = clock.changes()
            change = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            await asyncio.gather(advance(operator, timedelta(days=4)), advance(operator, timedelta(days=6, seconds=1)))
            await waiting
            expected = timedelta(days=10, seconds=1)
            await eventually(lambda: clock.offset == expected and other.offset == expected)
            assert await change in {timedelta(days=4), timedelta(days=6, seconds=1), expected}
    assert (await read_offset(operator))[0] == expected


async def test_platform_clock_never_goes_back(operator: JetStreamContext) -> None:
    with pytest.raises(ValueError, match="forward"):
        await advance(operator, timedelta(seconds=-1))


async def test_offset_outlives_the_bus(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    try:
        async with connect(server, "intake") as bus:
            clock = AdjustableClock(bus)
            async with running(clock.follow()):
                async with connect(server, OPERATOR) as operator:
                    jetstream = (await operator.connected()).jetstream
                    await provision(jetstream)  # after the clock has begun to ask for it
                    await advance(jetstream, timedelta(hours=1))
                await eventually(lambda: clock.offset == timedelta(hours=1))
                await server.stop()
                await eventually(lambda: not bus.is_connected)
                assert clock.offset == timedelta(hours=1)
                await server.start()
                async with connect(server, OPERATOR) as operator:
                    await advance((await operator.connected()).jetstream, timedelta(hours=2))
                await eventually(lambda: clock.offset == timedelta(hours=3))
    finally:
        await server.stop()


async def test_while_the_bus_is_away_time_goes_on_from_the_last_event(
    database: Database, manual_clock: ManualClock
) -> None:
    clock = AdjustableClock(Bus("nats://127.0.0.1:1", service="intake"))
    learning = asyncio.create_task(learn_time(clock, database, patience=0.05))
    await asyncio.sleep(0.2)
    assert not learning.done(), "there is no event yet"
    ahead = timedelta(days=400)
    manual_clock.advance(datetime.now(UTC) + ahead - manual_clock.now())
    async with database.transaction("open") as tx:
        tx.emit(CaseOpened(case_id="c1"), version=1)
    await learning
    assert ahead - timedelta(minutes=5) < clock.offset <= ahead
