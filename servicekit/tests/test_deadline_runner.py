"""INT-07: the loop that fires clocks, for the life of a service and in a real database."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from servicekit.deadlines import DeadlineHandlers, DeadlineRunner, Start
from servicekit.deadlines.runner import LOCKED_SECONDS
from servicekit.testing.waiting import eventually

from servicekit import deadlines


async def start(database):
    async with database.transaction("start") as tx:
        await deadlines.start(tx, [Start("fault_response", "case")])


def handlers_that_tell():
    """Handlers, and what is set once a clock was missed."""
    handlers, missed = DeadlineHandlers(), asyncio.Event()

    @handlers.missed("fault_response")
    async def miss(tx, deadline):
        tx.after_commit(missed.set)

    return handlers, missed


@contextlib.asynccontextmanager
async def running(database, manual_clock, handlers):
    runner = DeadlineRunner(database, manual_clock, handlers)
    task = asyncio.create_task(runner.run())
    yield
    runner.stop()
    await task


async def test_the_runner_wakes_when_the_clock_is_advanced(database, manual_clock):
    handlers, missed = handlers_that_tell()
    async with running(database, manual_clock, handlers):
        await start(database)
        manual_clock.advance(timedelta(days=1))
        await missed.wait()


async def test_the_runner_does_not_spin_while_a_clock_that_is_due_is_locked(database, manual_clock):
    rounds = 0

    class Watched(DeadlineRunner):
        async def _next_mark(self):
            nonlocal rounds
            rounds += 1
            return await super()._next_mark()

    await start(database)
    manual_clock.advance(timedelta(days=1))
    runner = Watched(database, manual_clock, DeadlineHandlers())
    async with database.transaction("hold") as tx:
        await tx.connection.exec_driver_sql("SELECT FROM deadlines FOR UPDATE")
        running, loop = asyncio.create_task(runner.run()), asyncio.get_running_loop()
        await eventually(lambda: rounds > 0)
        begun, before = loop.time(), rounds
        await asyncio.sleep(0.5)
        # However long that really was, it rests between two looks.
        assert rounds - before <= (loop.time() - begun) / LOCKED_SECONDS + 1
        runner.stop()
        await running


async def test_the_runner_outlives_trouble(database, manual_clock):
    """An error of one round is logged and the next round goes on."""
    handlers, missed = handlers_that_tell()
    await start(database)
    manual_clock.advance(timedelta(days=1))
    async with database.transaction("break") as tx:
        await tx.connection.exec_driver_sql("ALTER TABLE deadlines RENAME TO hidden")
    async with running(database, manual_clock, handlers):
        async with database.transaction("mend") as tx:
            await tx.connection.exec_driver_sql("ALTER TABLE hidden RENAME TO deadlines")
        await missed.wait()


async def test_a_handler_for_an_unknown_clock_is_refused_at_the_start(database, manual_clock):
    handlers = DeadlineHandlers()
    handlers.missed("coffee")(lambda tx, deadline: asyncio.sleep(0))
    with pytest.raises(KeyError, match="coffee"):
        DeadlineRunner(database, manual_clock, handlers)
