"""The outbox relay on real servers: nothing lost, nothing twice, order kept, poison set aside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio
from bihuan.dispatch.v1.events_pb2 import WorkOrderCreated
from bihuan.intake.v1.events_pb2 import CaseAssessed, CaseOpened, CustomerRegistered
from nats.js import JetStreamContext
from servicekit.clock import SystemClock
from servicekit.database import Database
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging import Bus
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.relay import Relay
from servicekit.messaging.streams import EVENTS, OPERATOR, provision
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from sqlalchemy import text

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# Sessions, as PostgreSQL sees them: relays that stand still before marking rows, and all dedicated connections.
BLOCKED = (
    "pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE outbox%' AND datname = current_database()"
)
DEDICATED = "pg_stat_activity WHERE application_name = 'intake dedicated' AND datname = current_database()"
# How long PostgreSQL may take to end a session.
PATIENCE_MS = 60_000

INDEX_USE = "SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_unpublished'"

HELD = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""


@pytest_asyncio.fixture
async def session(database: Database) -> AsyncIterator[Any]:
    """A connection of the test's own to the service's database."""
    session = await database.dedicated_connection()
    yield session
    await session.close()


def relay_of(database: Database, bus: Bus) -> Relay:
    relay = Relay(database, bus)
    database.on_commit_with_events(relay.wake)
    return relay


async def open_cases(database: Database, *case_ids: str) -> None:
    async with database.transaction("open") as tx:
        for case_id in case_ids:
            tx.emit(CaseOpened(case_id=case_id), version=1)


async def on_stream(jetstream: JetStreamContext) -> int:
    return int((await jetstream.stream_info(EVENTS)).state.messages)


async def first_on_stream(jetstream: JetStreamContext) -> int:
    """The number of the oldest message."""
    return int((await jetstream.stream_info(EVENTS)).state.first_seq)


async def waiting(session: Any) -> int:
    return int(await session.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL"))


async def test_row_travels_with_its_attributes(database: Database, bus: Bus, operator: JetStreamContext) -> None:
    async with running(relay_of(database, bus).run()):
        async with database.transaction("open") as tx:
            event_id = tx.emit(CaseOpened(case_id="c1", channel="热线"), version=3, traceparent=TRACEPARENT)
            now = tx.now
        await eventually(lambda: has(operator, 1))
    message = await operator.get_msg(EVENTS, seq=await first_on_stream(operator))
    assert message.subject == "bihuan.intake.case.opened.v1"
    assert message.data == '{"case_id": "c1", "channel": "热线"}'.replace(" ", "").encode()
    headers = message.headers or {}
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == str(event_id)
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-source"] == "/bihuan/intake"
    assert headers["ce-datacontenttype"] == "application/json"
    assert Envelope.read(headers) == Envelope(
        event_id, "bihuan.intake.v1.CaseOpened", "intake", "c1", 3, "c1", now, TRACEPARENT
    )


async def has(jetstream: JetStreamContext, messages: int) -> bool:
    return await on_stream(jetstream) == messages


async def test_killed_between_publish_and_mark_publishes_once_in_effect(
    database: Database, bus: Bus, operator: JetStreamContext, session: Any
) -> None:
    await open_cases(database, "c1", "c2")

    async def stands_still() -> bool:
        return bool(await session.fetchval(f"SELECT count(*) FROM {BLOCKED}"))

    async def marked() -> bool:
        return await waiting(session) == 0

    async with AsyncExitStack() as stack:
        # Readers and row locks pass this lock, the relay's UPDATE does not: it stands still between publish and mark.
        # Looked at from outside: within a transaction PostgreSQL shows its sessions as they were at the first look.
        async with database.transaction("gate") as tx:
            await tx.execute(text("LOCK TABLE outbox IN SHARE MODE"))
            await stack.enter_async_context(running(relay_of(database, bus).run()))
            await eventually(lambda: has(operator, 2))
            await eventually(stands_still)
            killed = await session.fetchval(f"SELECT pg_terminate_backend(pid, {PATIENCE_MS}) FROM {BLOCKED}")
            assert killed, "it is gone"
            assert await waiting(session) == 2
        await eventually(marked)
    assert await on_stream(operator) == 2


async def test_one_relay_is_active_and_another_takes_over(
    database: Database, database_url: str, bus: Bus, operator: JetStreamContext, session: Any
) -> None:
    other = Database("intake", database_url, SystemClock())
    try:
        async with running(relay_of(other, bus).run()):
            async with running(relay_of(database, bus).run()) as [first]:

                async def both_there() -> bool:
                    return await session.fetchval(f"SELECT count(*) FROM {DEDICATED}") == 3  # and the test's own

                async def one_is_active() -> bool:
                    return await session.fetchval(HELD) == 1

                await eventually(both_there)
                await eventually(one_is_active)
                # Commits of either replica travel, whichever is active.
                await open_cases(database, "c1")
                await open_cases(other, "c2")
                await eventually(lambda: has(operator, 2))
                assert not first.done()
            await open_cases(database, "c3")
            await eventually(lambda: has(operator, 3))
    finally:
        await other.close()


async def test_poison_is_parked_with_its_reason_and_the_rest_goes_on(
    database: Database, bus: Bus, operator: JetStreamContext, session: Any
) -> None:
    async with database.transaction("poison") as tx:
        tx.emit(CaseOpened(case_id="c1", channel="x" * 1_100_000), version=1)  # larger than NATS takes
        tx.emit(WorkOrderCreated(work_order_id="w1"), version=1)  # another service's event
        tx.emit(CaseAssessed(case_id="c1"), version=2)
        tx.emit(CaseOpened(case_id="c2"), version=1)
    async with running(relay_of(database, bus).run()):
        await eventually(lambda: has(operator, 2))
        await open_cases(database, "c3")
        await eventually(lambda: has(operator, 3))
    parked = await session.fetch(
        "SELECT subject, parked_reason FROM outbox WHERE parked_reason IS NOT NULL ORDER BY id"
    )
    assert [row["subject"] for row in parked] == [
        "bihuan.intake.case.opened.v1",
        "bihuan.dispatch.work_order.created.v1",
    ]
    assert "NATS takes 1048576" in parked[0]["parked_reason"]
    assert "may not publish" in parked[1]["parked_reason"]


async def test_order_of_each_entity_is_the_order_of_its_commits(
    database: Database, bus: Bus, operator: JetStreamContext
) -> None:
    entities = [str(uuid4()) for _ in range(5)]
    for version in range(1, 41):
        async with database.transaction("change") as tx:
            for entity in entities:
                tx.emit(CustomerRegistered(customer_id=entity), version=version)
    async with running(relay_of(database, bus).run()):
        await eventually(lambda: has(operator, 200))
    seen: dict[str, list[int]] = {entity: [] for entity in entities}
    first = await first_on_stream(operator)
    for sequence in range(first, first + 200):
        headers = (await operator.get_msg(EVENTS, seq=sequence, direct=True)).headers or {}
        seen[headers["ce-subject"]].append(int(headers["ce-entityversion"]))
    assert all(versions == list(range(1, 41)) for versions in seen.values())


async def test_reading_costs_the_same_however_much_was_published(
    database: Database, bus: Bus, operator: JetStreamContext, session: Any
) -> None:
    published, more = 500, 20
    await session.execute("ALTER TABLE outbox SET (autovacuum_enabled = off)")
    async with running(relay_of(database, bus).run()):
        await open_cases(database, *(f"c{number}" for number in range(published)))
        await eventually(lambda: has(operator, published))

        async def use() -> tuple[int, int]:
            scans, read = await session.fetchrow(INDEX_USE)
            return scans, read

        async def counted(scans: int, read: int) -> bool:  # PostgreSQL counts a little late
            return all(now >= then for now, then in zip(await use(), (scans, read), strict=True))

        await eventually(lambda: counted(0, published))
        scans, read = await use()
        for number in range(1, more + 1):
            await open_cases(database, f"d{number}")
            await eventually(lambda number=number: has(operator, published + number))
        await eventually(lambda: counted(scans + more, read + more))
        scans_after, read_after = await use()
    # What was published since the last vacuum is passed once more and forgotten, not passed by every look.
    assert read_after - read < 2 * published + 10 * (scans_after - scans)


async def test_relay_waits_for_nats_and_for_streams(database: Database, tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    url, password = server.url, server.password("intake")
    await server.stop()
    async with (
        Bus(url, service="intake", user="intake", password=password) as bus,
        running(relay_of(database, bus).run()) as [relay],
    ):
        await open_cases(database, "c1")
        await server.start()
        try:
            assert server.url == url
            async with connect(server, OPERATOR) as admin:
                jetstream = (await admin.connected()).jetstream
                await bus.connected()
                await provision(jetstream)
                await eventually(lambda: has(jetstream, 1))
                assert not relay.done()
        finally:
            await server.stop()
