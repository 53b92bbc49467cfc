"""What a service does in which order when messages fail, wait, or claim to be what they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bihuan.common.v1.common_pb2 import ClockMissed
from bihuan.intake.v1.events_pb2 import CaseOpened
from nats.js import JetStreamContext
from servicekit.database import Database, UnitOfWork
from servicekit.database.outgoing import to_json
from servicekit.messaging import Bus, NotYet, Reactions, Received
from servicekit.messaging.consumer import HELD_PER_HANDLER, Consumer
from servicekit.messaging.deadletters import list_dead_letters
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.relay import Relay
from servicekit.messaging.retries import RetryPolicy
from servicekit.testing.waiting import eventually, running
from sqlalchemy import text

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# What is told to wait comes again so late that only messages never seen before can get through.
PATIENT = RetryPolicy(max_waits=1000, wait_pauses=(30.0,), trouble_pauses=(0.05,))

Loop = Callable[[Reactions], Consumer]


@pytest.fixture
def relay(database: Database, bus: Bus) -> Relay:
    relay = Relay(database, bus)
    database.on_commit_with_events(relay.wake)
    return relay


async def open_cases(database: Database, *cases: tuple[str, str]) -> None:
    """Opens cases, given as id and channel, in one transaction."""
    async with database.transaction("open") as tx:
        for case_id, channel in cases:
            tx.emit(CaseOpened(case_id=case_id, channel=channel), version=1)


async def test_order_of_a_case_outlasts_trouble_of_the_database(database: Database, bus: Bus, relay: Relay) -> None:
    reactions, seen = Reactions("intake"), []

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        seen.append(event.channel)
        if event.channel == "0" and seen.count("0") < 4:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    case_id = str(uuid4())
    await open_cases(database, *((case_id, str(number)) for number in range(5)))
    async with running(relay.run(), Consumer(database, bus, reactions, policy=PATIENT).run()):
        await eventually(lambda: "4" in seen)
    assert seen == ["0", "0", "0", *"01234"]


async def test_messages_that_wait_leave_room_for_what_they_wait_for(database: Database, bus: Bus, relay: Relay) -> None:
    reactions, told_to_wait, came = Reactions("intake"), set(), []

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        if event.channel == "late":
            came.append(event.case_id)
        elif not came:
            told_to_wait.add(event.case_id)
            raise NotYet("the last one comes first")

    await open_cases(database, *((str(uuid4()), "early") for _ in range(150)), (str(uuid4()), "late"))
    consumer = Consumer(database, bus, reactions, concurrency=1, policy=PATIENT)
    async with running(relay.run(), consumer.run()):
        await eventually(lambda: len(came) == 1)
    assert len(told_to_wait) == 150


async def test_a_flood_of_poison_keeps_no_healthy_case_out(database: Database, bus: Bus, relay: Relay) -> None:
    reactions, failed, healthy = Reactions("intake"), [], []

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        if event.channel == "poison":
            failed.append(event.case_id)
            raise ValueError("a defect")
        healthy.append((event.case_id, event.channel))

    poisoned = [str(uuid4()) for _ in range(5 * HELD_PER_HANDLER)]
    await open_cases(database, *((case_id, "poison") for case_id in poisoned))
    # Of a case whose first message fails, the next one waits for its turn.
    await open_cases(database, *((case_id, "behind") for case_id in poisoned), ("healthy", "app"))
    slow = RetryPolicy(attempt_pauses=(600.0,))
    consumer = Consumer(database, bus, reactions, concurrency=1, policy=slow)
    async with running(relay.run(), consumer.run()):
        await eventually(lambda: bool(healthy))
    assert healthy == [("healthy", "app")]
    assert sorted(failed) == sorted(poisoned)


async def test_what_rests_has_a_bound_too(database: Database, bus: Bus, relay: Relay) -> None:
    reactions, failed = Reactions("intake"), []

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        failed.append(event.case_id)
        raise ValueError("a defect")

    await open_cases(database, *((str(uuid4()), "poison") for _ in range(4 * HELD_PER_HANDLER)))
    twice = RetryPolicy(max_attempts=2, attempt_pauses=(0.5,))
    consumer = Consumer(database, bus, reactions, concurrency=1, policy=twice, most_resting=HELD_PER_HANDLER)
    async with running(relay.run(), consumer.run()):
        await eventually(lambda: len(failed) >= HELD_PER_HANDLER)
        assert len(set(failed)) < 3 * HELD_PER_HANDLER
        await eventually(lambda: len(failed) == 8 * HELD_PER_HANDLER)


async def test_type_that_does_not_travel_on_its_subject_is_refused(
    bus: Bus, database: Database, operator: JetStreamContext
) -> None:
    """A service may only publish on its own subjects: what it says there must not pass for the word of another."""
    reactions, seen = Reactions("intake"), []

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        seen.append(event.case_id)

    @reactions.on(ClockMissed)
    async def clock_missed(tx: UnitOfWork, event: ClockMissed, received: Received) -> None:
        seen.append(event.case_id)

    envelope = Envelope(UUID(int=7), "bihuan.intake.v1.CaseOpened", "intake", "c1", 1, "c1", NOW)
    connection = await bus.connected()
    await connection.acknowledged(
        await connection.publish("bihuan.intake.clock.missed.v1", to_json(CaseOpened(case_id="c1")), envelope.headers())
    )
    async with running(Consumer(database, bus, reactions, policy=PATIENT).run()):

        async def is_dead() -> bool:
            return [letter.reason async for letter in list_dead_letters(operator)] == ["unreadable"]

        await eventually(is_dead)
    assert seen == []


async def insert_by_sqlalchemy(tx: UnitOfWork, phone: str) -> None:
    await tx.execute(text("INSERT INTO callers VALUES (:phone), (:phone)"), {"phone": phone})


async def insert_by_the_driver(tx: UnitOfWork, phone: str) -> None:
    driver: Any = (await tx.connection.get_raw_connection()).driver_connection
    await driver.execute("INSERT INTO callers VALUES ($1), ($1)", phone)


@pytest.mark.parametrize("insert", [insert_by_sqlalchemy, insert_by_the_driver])
async def test_dead_letter_shows_no_row_of_the_database(
    database: Database, bus: Bus, relay: Relay, operator: JetStreamContext, insert: Any
) -> None:
    reactions = Reactions("intake")
    async with database.transaction("make") as tx:
        await tx.execute(text("CREATE TABLE callers (phone text PRIMARY KEY)"))

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        await insert(tx, "13800138000")

    await open_cases(database, (str(uuid4()), "app"))
    hasty = RetryPolicy(max_attempts=1)
    async with running(relay.run(), Consumer(database, bus, reactions, policy=hasty).run()):

        async def letters() -> list[str]:
            return [letter.error async for letter in list_dead_letters(operator)]

        async def is_dead() -> bool:
            return bool(await letters())

        await eventually(is_dead)
        [error] = await letters()
    assert "duplicate key value" in error
    assert "13800138000" not in error
