"""Clocks whose end is set by what they watch, in a real database (TRN-02, TRN-04, TRN-05)."""

from datetime import UTC, timedelta

from bihuan.common.v1 import common_pb2
from servicekit.deadlines import DeadlineHandlers, Start
from servicekit.deadlines.firing import Firing

from servicekit import deadlines

HOUR = timedelta(hours=1)
State = common_pb2.ClockState


async def clock_of(database, subject):
    async with database.transaction("read") as tx:
        (clock,) = (await deadlines.of(tx, [subject]))[subject]
    return clock


async def fire_all(database):
    firing = Firing(database, DeadlineHandlers())
    while await firing.fire_due():
        pass


async def test_what_is_watched_may_set_its_own_end(database, manual_clock):
    """An exam's end and a certificate's are their own; the standards' limit holds for the others."""
    now = manual_clock.now()
    async with database.transaction("start") as tx:
        own, late = Start("fault_response", "own", due_at=now + HOUR), Start("assessment", "late", due_at=now - HOUR)
        await deadlines.start(tx, [own, Start("fault_response", "usual"), late])
    assert (await clock_of(database, "own")).due_at.ToDatetime(UTC) == now + HOUR
    assert (await clock_of(database, "usual")).due_at.ToDatetime(UTC) == now + 4 * HOUR
    await fire_all(database)
    assert (await clock_of(database, "late")).state == State.CLOCK_STATE_MISSED
    manual_clock.advance(HOUR)
    await fire_all(database)
    assert (await clock_of(database, "own")).state == State.CLOCK_STATE_MISSED
    assert (await clock_of(database, "usual")).state == State.CLOCK_STATE_RUNNING


async def test_starting_tells_the_clocks_as_they_are_stored(database, manual_clock):
    own_end = manual_clock.now() + timedelta(minutes=7)
    async with database.transaction("start") as tx:
        starts = [
            Start("fault_response", "first"),
            Start("handling", "second"),
            Start("assessment", "first"),
            Start("fault_response", "second", due_at=own_end),
        ]
        started = await deadlines.start(tx, starts, at=manual_clock.now() - 3 * HOUR)
        stored = await deadlines.of(tx, ["first", "second"])
    assert started == stored
    assert {subject: len(clocks) for subject, clocks in started.items()} == {"first": 2, "second": 2}
