"""How fast clocks fire and how late, while a hundred thousand others are pending (INT-07).

In a database of its own on the platform's server, with servicekit's runner in this process: state, clock and event move
in one transaction each time, as in a service.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from servicekit.clock import SystemClock
from servicekit.database import Database, UnitOfWork
from servicekit.database.migrations import kit_tables
from servicekit.database.provisioning import provision
from servicekit.deadlines import Deadline, DeadlineHandlers, DeadlineRunner, Start

from bench.figures import Figure, percentile
from bench.platform import Platform
from servicekit import deadlines
from standards import load

GROUP = "deadlines"
DATABASE = "bench_deadlines"
# A clock that runs round the clock, so that its first mark is half of its limit after its start.
CLOCK = "fault_response"
PENDING = 100_000
CHUNK = 5_000
# All at once, as after hours without the service.
BACKLOG = 10_000
# One by one, as in daily work.
STEADY_PER_SECOND = 200
STEADY_SECONDS = 5
HEAD_START = timedelta(seconds=1)
PATIENCE = 120.0


async def measure_deadlines(platform: Platform) -> list[Figure]:
    await platform.until_quiet()
    url = await provision(platform.database_url(), DATABASE, secrets.token_urlsafe())
    database = Database(DATABASE, url, SystemClock())
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(kit_tables().create_all)
        await _start_clocks(database, PENDING, datetime.now(UTC))
        return [
            Figure(GROUP, "pending", PENDING, ""),
            Figure(GROUP, f"fired of {BACKLOG} that were due", await _measure_backlog(database), "/s"),
            *await _measure_steady(database),
        ]
    finally:
        await database.close()


async def _measure_backlog(database: Database) -> float:
    """Marks fired per second when many are due at once."""
    await _start_clocks(database, BACKLOG, datetime.now(UTC) - _first_mark() - HEAD_START)
    began = time.perf_counter()
    async with _firing(database) as fired, asyncio.timeout(PATIENCE):
        while len(fired) < BACKLOG:
            await asyncio.sleep(0.01)
        return BACKLOG / (time.perf_counter() - began)


async def _measure_steady(database: Database) -> list[Figure]:
    """How late marks are acted on, commit included, when they come one by one."""
    number = STEADY_PER_SECOND * STEADY_SECONDS
    async with _firing(database) as fired, asyncio.timeout(PATIENCE):
        first = datetime.now(UTC) + 2 * HEAD_START
        async with database.transaction("start_clocks") as tx:
            for serial in range(number):
                due = first + timedelta(seconds=serial / STEADY_PER_SECOND)
                await deadlines.start(tx, [Start(CLOCK, f"steady-{serial}")], at=due - _first_mark())
        while len(fired) < number:
            await asyncio.sleep(0.01)
    name = f"lag at {STEADY_PER_SECOND}/s"
    return [
        Figure(GROUP, f"{name}: p50", percentile(fired, 0.5) * 1000, "ms"),
        Figure(GROUP, f"{name}: p99", percentile(fired, 0.99) * 1000, "ms"),
    ]


@asynccontextmanager
async def _firing(database: Database) -> AsyncIterator[list[float]]:
    """Runs a runner during the block; gives how many seconds late each mark's transaction was committed."""
    lags: list[float] = []
    handlers = DeadlineHandlers()

    @handlers.warned(CLOCK)
    async def note(tx: UnitOfWork, deadline: Deadline) -> None:
        moment = deadline.started_at + (deadline.due_at - deadline.started_at) * deadline.percent / 100
        tx.after_commit(lambda: lags.append(time.time() - moment.timestamp()))

    runner = DeadlineRunner(database, SystemClock(), handlers)
    running = asyncio.create_task(runner.run())
    try:
        yield lags
    finally:
        runner.stop()
        await running


async def _start_clocks(database: Database, number: int, at: datetime) -> None:
    for first in range(0, number, CHUNK):
        subjects = [f"{at.timestamp()}-{serial}" for serial in range(first, min(first + CHUNK, number))]
        async with database.transaction("start_clocks") as tx:
            await deadlines.start(tx, [Start(CLOCK, subject) for subject in subjects], at=at)


def _first_mark() -> timedelta:
    clock = load().clock(CLOCK)
    return clock.limit * min(clock.warn_at) / 100
