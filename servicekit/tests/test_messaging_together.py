"""Several messages in one transaction: one that fails harms only itself, and nothing takes effect twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import uuid4

import pytest
from bihuan.common.v1.common_pb2 import ClockMissed
from bihuan.intake.v1.events_pb2 import CaseAssessed, CaseOpened
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from servicekit.database import Database, UnitOfWork
from servicekit.database.tables import inbox, outbox
from servicekit.messaging import Bus, Happening, Reactions, Received
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.deadletters import list_dead_letters
from servicekit.messaging.relay import Relay
from servicekit.messaging.retries import RetryPolicy
from servicekit.messaging.streams import EVENTS
from servicekit.testing.waiting import eventually, running
from sqlalchemy import func, select

HASTY = RetryPolicy(max_attempts=3, attempt_pauses=(0.01,))


class Heard:
    """Reactions on many; `runs` has the channels of each call, also of those that are undone."""

    def __init__(self) -> None:
        self.reactions = Reactions("intake")
        self.runs: list[list[str]] = []
        self.effects: list[str] = []

        @self.reactions.on_many([CaseOpened])
        async def opened(tx: UnitOfWork, happenings: Sequence[Happening]) -> None:
            channels = [event.channel for event, _ in happenings if isinstance(event, CaseOpened)]
            self.runs.append(channels)
            for event, received in happenings:
                if isinstance(event, CaseOpened) and event.channel == "poison":
                    raise ValueError("a defect")
                tx.emit(CaseAssessed(case_id=received.case_id), version=2, traceparent=received.traceparent)
            tx.after_commit(lambda: self.effects.extend(channels))


async def open_cases(database: Database, *channels: str, case_id: str = "") -> None:
    """Opens cases in one transaction; with `case_id` all events are of that one."""
    async with database.transaction("open") as tx:
        for channel in channels:
            tx.emit(CaseOpened(case_id=case_id or str(uuid4()), channel=channel), version=1)


async def all_stored(operator: JetStreamContext, count: int) -> bool:
    return (await operator.stream_info(EVENTS)).state.messages >= count


async def nothing_pending(operator: JetStreamContext) -> bool:
    try:
        info = await operator.consumer_info(EVENTS, "intake")
    except NotFoundError:
        return False
    return info.num_pending == 0 and info.num_ack_pending == 0


async def count(database: Database, table: object) -> int:
    async with database.transaction("count") as tx:
        return int(await tx.scalar(select(func.count()).select_from(table)))  # type: ignore[call-overload]


async def stored(database: Database, bus: Bus, operator: JetStreamContext, messages: int) -> None:
    """Brings what was emitted to the stream."""
    async with running(Relay(database, bus).run()):
        await eventually(lambda: all_stored(operator, messages))


async def test_what_has_come_in_a_moment_shares_a_transaction_and_keeps_its_order(
    database: Database, bus: Bus, operator: JetStreamContext
) -> None:
    one_case = str(uuid4())
    numbers = [str(number) for number in range(20)]
    await open_cases(database, *numbers, case_id=one_case)
    await open_cases(database, "other")
    await stored(database, bus, operator, 21)
    heard = Heard()
    async with running(Consumer(database, bus, heard.reactions, together=True).run()):
        await eventually(lambda: len(heard.effects) == 21)
        await eventually(lambda: nothing_pending(operator))
    assert len(heard.runs) < 21
    assert [channel for channel in heard.effects if channel != "other"] == numbers
    assert await count(database, inbox) == 21


async def test_poison_among_others_harms_only_itself(database: Database, bus: Bus, operator: JetStreamContext) -> None:
    await open_cases(database, "0", "1", "poison", "2", "3")
    await stored(database, bus, operator, 5)
    heard = Heard()
    consumer = Consumer(database, bus, heard.reactions, policy=HASTY, together=True)
    async with running(consumer.run()):

        async def is_dead() -> bool:
            return [letter.reason async for letter in list_dead_letters(operator)] == ["failed"]

        await eventually(is_dead)
        await eventually(lambda: nothing_pending(operator))
    assert sorted(heard.effects) == ["0", "1", "2", "3"]
    assert heard.runs.count(["poison"]) == HASTY.max_attempts, "what it shared does not count against it"
    assert await count(database, inbox) == 4
    assert await count(database, outbox) == 5 + 4


async def test_what_committed_and_was_never_acknowledged_takes_effect_once(
    database: Database, bus: Bus, operator: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process killed between the commit and its acknowledgements leaves it; another one gets all of it again."""
    await open_cases(database, "0", "1", "2")
    await stored(database, bus, operator, 3)
    first, second = Heard(), Heard()
    dying = Consumer(database, bus, first.reactions, together=True)

    async def killed(sending: Coroutine[Any, Any, None]) -> None:
        sending.close()
        await asyncio.Event().wait()

    with monkeypatch.context() as kill:
        kill.setattr("servicekit.messaging.consumer._answer", killed)
        async with running(dying.run()):
            await eventually(lambda: len(first.effects) == 3)
    assert await count(database, inbox) == 3
    # The stream gives it to somebody else when the time to acknowledge is over: a new consumer need not wait for that.
    await operator.delete_consumer(EVENTS, "intake")
    async with running(Consumer(database, bus, second.reactions, together=True).run()):
        await eventually(lambda: nothing_pending(operator))
    assert sorted(first.effects) == ["0", "1", "2"]
    assert second.runs == []
    assert await count(database, outbox) == 3 + 3


async def test_reactions_on_one_message_take_part_each_in_the_trace_of_its_cause(
    database: Database, bus: Bus, operator: JetStreamContext
) -> None:
    reactions, seen = Reactions("intake"), []

    @reactions.on(CaseOpened)
    async def opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        seen.append((event.channel, received.traceparent.split("-")[1]))

    @reactions.on(ClockMissed)
    async def missed(tx: UnitOfWork, event: ClockMissed, received: Received) -> None:
        seen.append((event.clock, received.traceparent.split("-")[1]))

    causes = {"app": "0af7651916cd43dd8448eb211c80319c", "late": "0af7651916cd43dd8448eb211c80319d"}
    async with database.transaction("happen") as tx:
        parents = {name: f"00-{trace_id}-b7ad6b7169203331-00" for name, trace_id in causes.items()}
        tx.emit(CaseOpened(case_id="c1", channel="app"), version=1, traceparent=parents["app"])
        tx.emit(ClockMissed(subject_id="c2", clock="late"), version=1, traceparent=parents["late"])
    await stored(database, bus, operator, 2)
    async with running(Consumer(database, bus, reactions, together=True).run()):
        await eventually(lambda: len(seen) == 2)
    assert dict(seen) == causes


async def test_while_a_service_rests_events_wait_on_the_stream(
    database: Database, bus: Bus, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.reactions.rest()
    await open_cases(database, "0", "1")
    async with running(Relay(database, bus).run(), Consumer(database, bus, heard.reactions, together=True).run()):

        async def waiting() -> bool:
            try:
                return (await operator.consumer_info(EVENTS, "intake")).num_pending == 2
            except NotFoundError:
                return False

        await eventually(waiting)
        assert heard.runs == []
        heard.reactions.attend()
        await open_cases(database, "2")
        await eventually(lambda: sorted(heard.effects) == ["0", "1", "2"])
