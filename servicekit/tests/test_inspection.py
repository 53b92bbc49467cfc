"""What a service tells about itself (TRC-02), over real gRPC, PostgreSQL and NATS."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from bihuan.platform.v1 import inspection_pb2
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceStub
from servicekit.clock import ManualClock
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.inspection import InspectionServicer
from servicekit.messaging import Bus, Reactions, Received
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.relay import Relay
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server
from servicekit.testing.waiting import eventually, running

FACTS = [
    inspection_pb2.EntityFact(entity="case", entity_id=f"case-{number}", state="accepted") for number in range(1, 6)
]


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> Sequence[inspection_pb2.EntityFact]:
    return [fact for fact in FACTS if fact.entity_id > after][:limit]


class Tokens:
    async def verify(self, token: str) -> Principal:
        return Principal("u", frozenset({token}))


@pytest.fixture
def reactions() -> Reactions:
    reactions = Reactions("intake")

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        """Being received is effect enough."""

    return reactions


@pytest.fixture
async def stub(database: Database, bus: Bus, reactions: Reactions) -> AsyncIterator[InspectionServiceStub]:
    servicer = InspectionServicer(database, bus, reactions, entity_facts).servicer
    server = Server("127.0.0.1:0", [servicer], tokens=Tokens(), is_ready=database.is_reachable)
    await server.start()
    channel = Channel(server.address, lambda: "administrator")
    yield InspectionServiceStub(channel)
    await channel.close()
    await server.stop(1)


async def test_the_backlog_counts_what_waits_and_what_took_effect(
    stub: InspectionServiceStub, database: Database, bus: Bus, reactions: Reactions
) -> None:
    async with database.transaction("open") as tx:
        opened = [str(tx.emit(CaseOpened(case_id=str(uuid4())), version=1)) for _ in range(3)]
    relay = Relay(database, bus)
    async with running(Consumer(database, bus, reactions).run()):

        async def told() -> inspection_pb2.Backlog:
            try:
                return await stub.GetBacklog(inspection_pb2.GetBacklogRequest())
            except Fault as fault:
                assert fault.code == "unavailable"  # noqa: PT017 -- the durable consumers are not made yet
                return inspection_pb2.Backlog()

        async def waits() -> bool:
            return (await told()).outbox_waiting == 3

        await eventually(waits)
        before = await told()
        assert before.outbox_oldest_seconds > 0
        assert (before.outbox_published, before.inbox_handled, before.service) == (0, 0, "intake")
        unhandled = await stub.FindUnhandled(inspection_pb2.FindUnhandledRequest(consumer="intake", event_ids=opened))
        assert list(unhandled.event_ids) == opened
        async with running(relay.run()):

            async def handled() -> bool:
                backlog = await told()
                # The relay marks what it has published when it reads on: it may be handled by then.
                return backlog.inbox_handled == 3 and backlog.consumer_pending == backlog.outbox_waiting == 0

            await eventually(handled)
        after = await told()
    assert (after.outbox_waiting, after.outbox_published, after.outbox_oldest_seconds) == (0, 3, 0)
    stranger = str(uuid4())
    unhandled = await stub.FindUnhandled(
        inspection_pb2.FindUnhandledRequest(consumer="intake", event_ids=[*opened, stranger])
    )
    assert list(unhandled.event_ids) == [stranger]


async def test_facts_come_page_by_page(stub: InspectionServiceStub) -> None:
    pages, token = [], ""
    while True:
        page = await stub.ListEntityFacts(inspection_pb2.ListEntityFactsRequest(page_size=2, page_token=token))
        pages.append([fact.entity_id for fact in page.facts])
        token = page.next_page_token
        if not token:
            break
    assert pages == [["case-1", "case-2"], ["case-3", "case-4"], ["case-5"]]
    everything = await stub.ListEntityFacts(inspection_pb2.ListEntityFactsRequest())
    assert (len(everything.facts), everything.next_page_token) == (5, "")


async def test_subscriptions_are_what_is_reacted_on(stub: InspectionServiceStub) -> None:
    answer = await stub.GetSubscriptions(inspection_pb2.GetSubscriptionsRequest())
    (subscription,) = answer.subscriptions
    assert (subscription.stream, subscription.consumer) == ("BIHUAN_EVENTS", "intake")
    assert list(subscription.subjects) == ["bihuan.intake.case.opened.v1"]


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (inspection_pb2.FindUnhandledRequest(consumer="records"), "consumer_unknown", "consumer"),
        (
            inspection_pb2.FindUnhandledRequest(consumer="intake", event_ids=[str(uuid4()), "x"]),
            "invalid_argument",
            "event_ids[1]",
        ),
    ],
)
async def test_a_wrong_question_is_refused(
    stub: InspectionServiceStub, request_: inspection_pb2.FindUnhandledRequest, code: str, field: str
) -> None:
    with pytest.raises(Fault) as refused:
        await stub.FindUnhandled(request_)
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_while_the_bus_is_away_the_backlog_is_unavailable(stub: InspectionServiceStub, bus: Bus) -> None:
    await bus.stop()
    with pytest.raises(Fault, match="unavailable"):
        await stub.GetBacklog(inspection_pb2.GetBacklogRequest())


async def test_a_service_tells_how_far_it_takes_platform_time_to_be_ahead(
    stub: InspectionServiceStub, database: Database, bus: Bus, reactions: Reactions, manual_clock: ManualClock
) -> None:
    answers: list[inspection_pb2.Backlog] = []

    async def told() -> bool:
        with contextlib.suppress(Fault):  # the durable consumers are not made yet
            answers.append(await stub.GetBacklog(inspection_pb2.GetBacklogRequest(only_waiting=True)))
        return bool(answers)

    began = time.monotonic()
    async with running(Consumer(database, bus, reactions).run()):
        await eventually(told)
        manual_clock.advance(timedelta(days=1))
        await told()
    first, second = (answer.clock_ahead.ToTimedelta().total_seconds() for answer in answers)
    # The clock of the test stands still while real time goes on.
    assert 86_400 - (time.monotonic() - began) < second - first <= 86_400
