"""The pool of connections against a real server: shared out fairly while many want one, given up when nobody does."""

import asyncio

from servicekit.database import Database
from servicekit.testing.waiting import eventually
from sqlalchemy import text

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idler'"


async def test_more_callers_than_connections_are_all_served(database_url, manual_clock):
    database = Database("intake", database_url, manual_clock, pool=2)

    async def ask(number: int) -> int:
        async with database.transaction("ask") as tx:
            return await tx.scalar(text("SELECT CAST(:n AS int)"), {"n": number})

    assert await asyncio.gather(*(ask(number) for number in range(100))) == list(range(100))
    await database.close()


async def test_a_busy_database_is_reachable(database_url, manual_clock):
    database = Database("intake", database_url, manual_clock, pool=2)
    async with database.transaction("one"), database.transaction("another"):
        assert await asyncio.gather(*(database.is_reachable() for _ in range(3))) == [True] * 3
    await database.close()


async def test_connections_of_a_rush_end_when_nobody_uses_them(database_url, manual_clock):
    """Seen by PostgreSQL; the next to come finds the pool in order, and more than one at a time too."""
    database = Database("idler", database_url, manual_clock, pool=4, idle_seconds=600)
    together = asyncio.Barrier(4)
    connections = []

    async def work() -> int:
        async with database.transaction("rush") as tx:
            connections.append((await tx.connection.get_raw_connection()).driver_connection)
            await together.wait()
            seen = int(await tx.scalar(text(SESSIONS)))
            assert await tx.scalar(text("SHOW idle_session_timeout")) == "10min"
            # In the blink of an eye, but only after the transaction: a busy machine must not lose what it is using.
            await tx.execute(text("SET idle_session_timeout = '1ms'"))
            await together.wait()
        return seen

    async def gone() -> bool:
        return await watcher.fetchval(SESSIONS) == 0 and all(connection.is_closed() for connection in connections)

    watcher = await database.dedicated_connection()
    try:
        for _ in range(2):
            assert await asyncio.gather(*(work() for _ in range(4))) == [4] * 4
            await eventually(gone)
        assert len(set(connections)) == 8
    finally:
        await watcher.close()
        await database.close()
