"""From a committed transaction to the effect in another service, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from bihuan.common.v1.common_pb2 import ClockMissed
from bihuan.dispatch.v1.events_pb2 import CreateWorkOrder
from bihuan.intake.v1.events_pb2 import CaseAssessed, CaseOpened
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from servicekit.database import Database, UnitOfWork
from servicekit.database.outgoing import OutgoingMessage
from servicekit.database.tables import inbox, inbox_failures, outbox
from servicekit.embedded.nats import EmbeddedNats
from servicekit.errors import Fault
from servicekit.messaging import Bus, NotYet, Reactions, Received
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.deadletters import (
    DeadLetter,
    discard_dead_letter,
    list_dead_letters,
    list_discarded,
    redrive_dead_letter,
    show_dead_letter,
)
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.pull import ACK_WAIT_SECONDS
from servicekit.messaging.relay import Relay
from servicekit.messaging.retries import RetryPolicy
from servicekit.messaging.streams import EVENTS
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from sqlalchemy import func, select

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HASTY = RetryPolicy(max_attempts=3, max_waits=3, attempt_pauses=(0.01,), wait_pauses=(0.01,), trouble_pauses=(0.01,))

Loop = Callable[[Reactions], Consumer]


@pytest.fixture
def relay(database: Database, bus: Bus) -> Relay:
    relay = Relay(database, bus)
    database.on_commit_with_events(relay.wake)
    return relay


@pytest.fixture(params=[False, True], ids=["one by one", "together"])
def consumer(database: Database, bus: Bus, request: pytest.FixtureRequest) -> Loop:
    """What holds for messages holds however they are handled."""
    return lambda reactions: Consumer(database, bus, reactions, policy=HASTY, together=request.param)


class Heard:
    """Reactions on CaseOpened that write down each run, also of those that are undone."""

    def __init__(self) -> None:
        self.reactions = Reactions("intake")
        self.cases: list[str] = []
        self.received: list[Received] = []
        self.fail: Callable[[CaseOpened], Exception | None] = lambda event: None

        @self.reactions.on(CaseOpened)
        async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
            self.cases.append(event.case_id)
            self.received.append(received)
            tx.emit(CaseAssessed(case_id=event.case_id), version=2)
            if failure := self.fail(event):
                raise failure


async def open_case(database: Database, channel: str = "app", case_id: str = "") -> str:
    case_id = case_id or str(uuid4())
    async with database.transaction("open") as tx:
        tx.emit(CaseOpened(case_id=case_id, channel=channel), version=1)
    return case_id


async def publish(bus: Bus, message: CaseOpened, subject: str = "bihuan.intake.case.opened.v1") -> UUID:
    """Puts a message on the stream itself, as a relay would that has forgotten that it did."""
    row = OutgoingMessage.of(message, service="intake", version=1, case_id="", traceparent="")
    envelope = Envelope(row.event_id, "bihuan.intake.v1.CaseOpened", "intake", row.entity_id, 1, row.case_id, NOW)
    connection = await bus.connected()
    for copy in range(3):
        headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
        await connection.acknowledged(await connection.publish(subject, row.body, headers))
    return row.event_id


async def count(database: Database, table: object) -> int:
    async with database.transaction("count") as tx:
        return int(await tx.scalar(select(func.count()).select_from(table)))  # type: ignore[call-overload]


async def all_dead_letters(operator: JetStreamContext) -> list[DeadLetter]:
    return [letter async for letter in list_dead_letters(operator)]


async def first_dead_letter(operator: JetStreamContext) -> DeadLetter:
    async def is_there() -> bool:
        return len(await all_dead_letters(operator)) == 1

    await eventually(is_there)
    return (await all_dead_letters(operator))[0]


async def nothing_pending(operator: JetStreamContext) -> bool:
    info = await operator.consumer_info(EVENTS, "intake")
    return info.num_pending == 0 and info.num_ack_pending == 0


async def test_event_reaches_a_reaction(database: Database, relay: Relay, consumer: Loop) -> None:
    heard = Heard()
    missed: list[str] = []

    @heard.reactions.on(ClockMissed)
    async def clock_missed(tx: UnitOfWork, event: ClockMissed, received: Received) -> None:
        missed.append(received.subject)

    async with running(relay.run(), consumer(heard.reactions).run()):
        case_id = str(uuid4())
        async with database.transaction("open") as tx:
            event_id = tx.emit(CaseOpened(case_id=case_id), version=7)
            tx.emit(ClockMissed(subject_id=case_id, case_id=case_id, clock="response"), version=1)
        await eventually(lambda: heard.cases == [case_id] and len(missed) == 1)
    assert heard.received[0].event_id == event_id
    assert heard.received[0].entity_version == 7
    assert heard.received[0].case_id == case_id
    assert heard.received[0].subject == "bihuan.intake.case.opened.v1"
    assert heard.received[0].deliveries == 1
    assert missed == ["bihuan.intake.clock.missed.v1"]


async def test_same_message_three_times_has_one_effect(
    database: Database, bus: Bus, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    await publish(bus, CaseOpened(case_id=str(uuid4())))
    assert (await operator.stream_info(EVENTS)).state.messages == 3
    async with running(consumer(heard.reactions).run()):
        await eventually(lambda: len(heard.cases) >= 1)
        await eventually(lambda: nothing_pending(operator))
    assert len(heard.cases) == 1
    assert await count(database, inbox) == 1
    assert await count(database, outbox) == 1


async def test_failure_is_tried_again_and_leaves_nothing_behind(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: RuntimeError("not this time") if len(heard.cases) < 3 else None
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database)
        await eventually(lambda: len(heard.cases) == 3)
        await eventually(lambda: nothing_pending(operator))
    assert await count(database, outbox) == 2  # the opening, and one assessment from the attempt that went through
    assert await count(database, inbox_failures) == 0
    assert await all_dead_letters(operator) == []


async def test_order_within_a_case_is_kept_while_other_cases_go_on(database: Database, bus: Bus, relay: Relay) -> None:
    slow, quick = str(uuid4()), str(uuid4())
    seen: list[tuple[str, str]] = []
    reactions = Reactions("intake")
    release = asyncio.Event()

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        if event.case_id == slow and event.channel == "0":
            await release.wait()
            if ("slow", "failed") not in seen:
                seen.append(("slow", "failed"))
                raise RuntimeError("the first of its case fails once")
        seen.append(("slow" if event.case_id == slow else "quick", event.channel))

    async with running(relay.run(), Consumer(database, bus, reactions, policy=HASTY).run()):
        for number in range(5):
            await open_case(database, str(number), slow)
            await open_case(database, str(number), quick)
        await eventually(lambda: [number for case, number in seen if case == "quick"] == list("01234"))
        assert [number for case, number in seen if case == "slow"] == []
        release.set()
        await eventually(lambda: len(seen) == 11)
    assert [number for case, number in seen if case == "slow"] == ["failed", *"01234"]


async def test_rec_09_a_discarded_letter_is_kept_with_who_decided_it_and_why(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: ValueError("a defect")
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database)
        letter = await first_dead_letter(operator)
    await discard_dead_letter(operator, letter.number, by="李雷", because="sent by mistake: 100%")
    assert await all_dead_letters(operator) == []
    [kept] = [each async for each in list_discarded(operator, "intake")]
    assert (kept.discarded_by, kept.discarded_because) == ("李雷", "sent by mistake: 100%")
    assert (kept.event_id, kept.body, kept.error) == (letter.event_id, letter.body, letter.error)
    assert [each async for each in list_discarded(operator, "records")] == []
    with pytest.raises(LookupError):
        await discard_dead_letter(operator, letter.number, by="李雷", because="again")


async def test_poison_becomes_a_dead_letter_and_is_redriven_after_the_fix(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: ValueError("数据有误 100%\nsecond line")
    async with running(relay.run(), consumer(heard.reactions).run()):
        case_id = await open_case(database)
        letter = await first_dead_letter(operator)
        assert len(heard.cases) == HASTY.max_attempts
        assert letter.reason == "failed"
        assert letter.error == "ValueError: 数据有误 100%\nsecond line"
        assert letter.attempts == HASTY.max_attempts
        assert letter.service == "intake"
        assert letter.subject == "bihuan.intake.case.opened.v1"
        assert letter.case_id == case_id
        assert letter.content()["case_id"] == case_id
        assert await count(database, inbox) == 0
        await eventually(lambda: nothing_pending(operator))

        heard.cases.clear()
        heard.received.clear()
        heard.fail = lambda event: None
        await redrive_dead_letter(operator, letter.number)
        await eventually(lambda: heard.cases == [case_id])
        assert str(heard.received[0].event_id) == letter.event_id
        assert heard.received[0].subject == "bihuan.intake.case.opened.v1"
    assert await all_dead_letters(operator) == []
    assert await count(database, inbox_failures) == 0
    with pytest.raises(LookupError):
        await show_dead_letter(operator, letter.number)
    with pytest.raises(LookupError):
        await redrive_dead_letter(operator, letter.number)


async def test_redriven_poison_dies_again_with_all_its_attempts(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: ValueError("still wrong")
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database)
        first = await first_dead_letter(operator)
        await redrive_dead_letter(operator, first.number)
        second = await first_dead_letter(operator)
    assert second.number > first.number
    assert (second.event_id, second.subject, second.attempts) == (first.event_id, first.subject, first.attempts)


async def test_fault_that_will_not_go_away_is_dead_at_once(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: Fault("case_unknown")
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database)
        letter = await first_dead_letter(operator)
    assert (letter.reason, letter.attempts, len(heard.cases)) == ("refused", 1, 1)


@pytest.mark.parametrize("body", [b"{not json", b'{"case_id": 5}', b"\xff"])
async def test_unreadable_body_is_dead_at_once(
    bus: Bus, consumer: Loop, operator: JetStreamContext, body: bytes
) -> None:
    envelope = Envelope(uuid4(), "bihuan.intake.v1.CaseOpened", "intake", "c1", 1, "c1", NOW)
    connection = await bus.connected()
    async with running(consumer(Heard().reactions).run()):
        future = await connection.publish("bihuan.intake.case.opened.v1", body, envelope.headers())
        await connection.acknowledged(future)
        letter = await first_dead_letter(operator)
    assert letter.reason == "unreadable"
    assert letter.body == body


async def test_message_without_attributes_is_dead_at_once(bus: Bus, consumer: Loop, operator: JetStreamContext) -> None:
    connection = await bus.connected()
    async with running(consumer(Heard().reactions).run()):
        await connection.acknowledged(await connection.publish("bihuan.intake.case.opened.v1", b"{}", {}))
        letter = await first_dead_letter(operator)
    assert letter.reason == "unreadable"


async def test_message_that_is_too_early_comes_again(database: Database, relay: Relay, consumer: Loop) -> None:
    heard = Heard()
    first, second = str(uuid4()), str(uuid4())
    heard.fail = lambda event: NotYet("first comes first") if event.case_id == second and first not in done else None
    done: list[str] = []
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database, case_id=second)
        await eventually(lambda: second in heard.cases)
        done.append(first)
        await eventually(lambda: len(heard.cases) >= 2)
    assert await count(database, inbox_failures) == 0


async def test_message_that_waits_too_long_is_dead(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    heard = Heard()
    heard.fail = lambda event: NotYet("what it builds on never comes")
    async with running(relay.run(), consumer(heard.reactions).run()):
        await open_case(database)
        letter = await first_dead_letter(operator)
    assert letter.reason == "waited_too_long"
    assert len(heard.cases) == HASTY.max_waits + 1


async def test_command_is_obeyed_by_its_service_alone(
    nats_server: EmbeddedNats, database: Database, relay: Relay, operator: JetStreamContext
) -> None:
    obeyed: list[str] = []
    dispatch = Reactions("dispatch")

    @dispatch.on(CreateWorkOrder)
    async def create_work_order(tx: UnitOfWork, command: CreateWorkOrder, received: Received) -> None:
        obeyed.append(command.work_order_id)

    async with connect(nats_server, "dispatch") as bus, running(relay.run(), Consumer(database, bus, dispatch).run()):
        async with database.transaction("ask") as tx:
            tx.command(CreateWorkOrder(work_order_id="w1", case_id="c1"))
        await eventually(lambda: obeyed == ["w1"])


async def test_filters_of_a_durable_consumer_follow_the_code(
    database: Database, relay: Relay, consumer: Loop, operator: JetStreamContext
) -> None:
    async with running(consumer(Heard().reactions).run()):
        await eventually(lambda: has_filters(operator, ["bihuan.intake.case.opened.v1"]))
    grown = Heard()

    @grown.reactions.on(CaseAssessed)
    async def case_assessed(tx: UnitOfWork, event: CaseAssessed, received: Received) -> None:
        grown.cases.append("assessed")

    async with running(relay.run(), consumer(grown.reactions).run()):
        await open_case(database)
        await eventually(lambda: "assessed" in grown.cases)
        await eventually(
            lambda: has_filters(operator, ["bihuan.intake.case.assessed.v1", "bihuan.intake.case.opened.v1"])
        )


async def has_filters(operator: JetStreamContext, expected: list[str]) -> bool:
    try:
        config = (await operator.consumer_info(EVENTS, "intake")).config
    except NotFoundError:
        return False
    return (config.filter_subjects or [config.filter_subject]) == expected


async def test_stop_finishes_what_is_in_hand_and_hands_back_the_rest(
    database: Database, relay: Relay, consumer: Loop
) -> None:
    entered, release, begun = asyncio.Event(), asyncio.Event(), []
    reactions = Reactions("intake")
    case_id = str(uuid4())

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        begun.append(received.event_id)
        entered.set()
        await release.wait()

    for _ in range(3):
        await open_case(database, case_id=case_id)
    stopping = consumer(reactions)
    async with running(relay.run(), stopping.run()) as (_, task):
        await entered.wait()
        stopping.stop()
        release.set()
        await task
        # One; or, of those that are handled together, all that had come in the same moment.
        assert await count(database, inbox) == len(begun) >= 1
        heard = Heard()
        async with running(consumer(heard.reactions).run()):
            # Handed back, not merely left to the time-out of an acknowledgement.
            await eventually(lambda: len(heard.cases) == 3 - len(begun), seconds=ACK_WAIT_SECONDS - 5)
