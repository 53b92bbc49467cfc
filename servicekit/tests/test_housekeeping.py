"""Old rows go, and nothing that is still needed; months are made ahead."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from servicekit.deadlines import Start
from servicekit.housekeeping import Housekeeper
from servicekit.ids import uuid7_floor
from servicekit.pruning import BATCH, IDEMPOTENCY_KEYS_KEPT, INBOX_KEPT, OUTBOX_KEPT
from servicekit.testing.waiting import eventually, running
from sqlalchemy import text

from servicekit import deadlines
from standards import load

DAY = timedelta(days=1)


async def execute(database, statement, *rows):
    async with database.transaction("test") as tx:
        for row in rows or [{}]:
            result = await tx.execute(text(statement), row)
        return list(result.scalars()) if result.returns_rows else []


async def keep_house(database, clock, partitioned=None, prunings=None):
    """One round of housekeeping."""
    waits = asyncio.Event()

    class Clock:
        now = clock.now

        async def wait_until(self, moment):
            assert moment == clock.now() + DAY
            waits.set()
            await asyncio.Event().wait()

    async with running(Housekeeper(database, Clock(), partitioned or {}, prunings).run()):
        await waits.wait()


async def store_event(database, entity_id, published_at=None, parked=None):
    await execute(
        database,
        "INSERT INTO outbox (event_id, subject, entity_id, entity_version, body, headers, created_at, published_at, "
        "parked_reason) VALUES (:id, 's', :entity_id, 1, '', '{}', now(), :published_at, :parked)",
        {"id": uuid4(), "entity_id": entity_id, "published_at": published_at, "parked": parked},
    )


async def test_published_events_go_after_a_while_and_others_stay(database, manual_clock):
    now = datetime.now(UTC)
    await store_event(database, "old", now - OUTBOX_KEPT - DAY)
    await store_event(database, "young", now - OUTBOX_KEPT + DAY)
    await store_event(database, "waiting")
    await store_event(database, "parked", parked="too large")
    await keep_house(database, manual_clock)
    assert await execute(database, "SELECT entity_id FROM outbox ORDER BY id") == ["young", "waiting", "parked"]


async def test_the_inbox_knows_every_message_that_the_stream_may_still_have(database, manual_clock):
    now = datetime.now(UTC)
    long_ago, lately = now - INBOX_KEPT - DAY, now - INBOX_KEPT + DAY
    # Made, handled.
    rows = {"old": (long_ago, long_ago), "redriven": (long_ago - DAY, lately), "young": (lately, lately)}
    await execute(
        database,
        "INSERT INTO inbox (consumer, event_id, handled_at, case_id) VALUES ('intake', :id, :handled_at, :name)",
        *({"id": uuid7_floor(made), "handled_at": handled, "name": name} for name, (made, handled) in rows.items()),
    )
    failure = "INSERT INTO inbox_failures (consumer, event_id, attempts, last_error, last_at) "
    await execute(
        database,
        failure + "VALUES ('intake', gen_random_uuid(), 1, :error, :last_at)",
        {"error": "old", "last_at": long_ago},
        {"error": "young", "last_at": lately},
    )
    await keep_house(database, manual_clock)
    assert set(await execute(database, "SELECT case_id FROM inbox")) == {"redriven", "young"}
    assert await execute(database, "SELECT last_error FROM inbox_failures") == ["young"]


async def test_more_than_a_batch_of_idempotency_keys_goes(database, manual_clock):
    await execute(
        database,
        "INSERT INTO idempotency_keys (scope, key, fingerprint, entity_id, created_at) "
        "SELECT 's', n::text, '', gen_random_uuid(), :created_at FROM generate_series(1, :last) AS n",
        {"created_at": datetime.now(UTC) - IDEMPOTENCY_KEYS_KEPT - DAY, "last": 2 * BATCH + 1},
    )
    async with database.transaction("claim") as tx:
        await tx.claim_keys("s", {"new": (b"", uuid4())})
    await keep_house(database, manual_clock)
    assert await execute(database, "SELECT key FROM idempotency_keys") == ["new"]


async def test_ended_clocks_stay_as_long_as_any_record_and_running_ones_for_ever(database, manual_clock):
    async with database.transaction("start") as tx:
        await deadlines.start(tx, [Start("handling", subject) for subject in ("ended", "paused", "running")])
    async with database.transaction("end") as tx:
        await deadlines.meet(tx, ["ended"], ["handling"])
        await deadlines.pause(tx, ["paused"])
    years = max(kept.years for kept in load().retention.values())
    manual_clock.advance(years * 365 * DAY)
    await keep_house(database, manual_clock)
    assert len(await execute(database, "SELECT subject_id FROM deadlines")) == 3
    manual_clock.advance(years * DAY + DAY)
    await keep_house(database, manual_clock)
    assert await execute(database, "SELECT subject_id FROM deadlines ORDER BY subject_id") == ["paused", "running"]


async def test_months_are_made_and_a_second_replica_finds_them(database, manual_clock):
    await execute(database, "CREATE TABLE visits (at timestamptz NOT NULL) PARTITION BY RANGE (at)")
    await execute(database, "CREATE TABLE visits_default PARTITION OF visits DEFAULT")
    await asyncio.gather(*(keep_house(database, manual_clock, {"visits": "at"}) for _ in range(2)))
    made = await execute(database, "SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1")
    assert made == ["visits_2026_03", "visits_2026_04", "visits_2026_05", "visits_2026_06", "visits_default"]


async def test_a_defect_does_not_end_the_service(database, manual_clock):
    async with running(Housekeeper(database, manual_clock, {"no_such_table": "at"}).run()) as [keeping]:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(keeping), 1)


async def test_it_waits_for_the_database_and_goes_on(database, manual_clock):
    await store_event(database, "old", datetime.now(UTC) - OUTBOX_KEPT - DAY)
    killer = await database.dedicated_connection()
    async with running(Housekeeper(database, manual_clock, {}).run()):
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

        async def pruned() -> bool:
            return await killer.fetchval("SELECT count(*) FROM outbox") == 0

        await eventually(pruned)
    await killer.close()


async def test_what_a_service_prunes_itself_goes_batch_by_batch(database, manual_clock):
    left = [BATCH, BATCH, 3, 7]

    async def prune(_tx):
        return left.pop(0)

    await keep_house(database, manual_clock, prunings={"prune_own": prune})
    assert left == [7]
