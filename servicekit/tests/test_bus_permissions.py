"""One NATS user for each service, allowed its own subjects only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import nats.errors
import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.pull import Durable, Pull
from servicekit.messaging.streams import CLOCK_SUBJECT, COMMANDS, EVENTS
from servicekit.messaging.trouble import PublishRefusedError
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually


@pytest_asyncio.fixture
async def intake(bus: Bus) -> AsyncIterator[Connection]:
    yield await bus.connected()


async def publish(connection: Connection, subject: str) -> None:
    await connection.acknowledged(await connection.publish(subject, b"{}", {}))


@pytest.mark.parametrize(
    "subject", ["bihuan.intake.case.opened.v1", "bihuan.dispatch.commands.create_work_order", "bihuan.dead.intake"]
)
async def test_service_publishes_its_own_events_and_commands_to_anybody(intake: Connection, subject: str) -> None:
    await publish(intake, subject)


@pytest.mark.parametrize(
    "subject",
    [
        "bihuan.dispatch.work_order.created.v1",
        "bihuan.dead.dispatch",
        "bihuan.dispatch.commands.redeliver",
        "bihuan.intake.commands.redeliver",
        CLOCK_SUBJECT,
        "$JS.API.STREAM.DELETE.BIHUAN_EVENTS",
        "$JS.API.STREAM.PURGE.BIHUAN_EVENTS",
        "$JS.API.CONSUMER.DELETE.BIHUAN_EVENTS.dispatch",
        "$JS.API.CONSUMER.MSG.NEXT.BIHUAN_EVENTS.dispatch",
        "$JS.ACK.BIHUAN_EVENTS.dispatch.1.1.1.1.1",
        "$JS.API.STREAM.MSG.GET.BIHUAN_DEAD",
        "$JS.API.DIRECT.GET.BIHUAN_DEAD",
    ],
)
async def test_service_may_not_act_for_others(intake: Connection, subject: str) -> None:
    with pytest.raises(PublishRefusedError, match="may not publish"):
        await publish(intake, subject)


async def test_service_may_not_make_or_read_the_consumer_of_another(
    intake: Connection, nats_server: EmbeddedNats
) -> None:
    with pytest.raises(nats.errors.TimeoutError):  # refused, so nobody answers
        await Pull(intake, Durable(EVENTS, "dispatch", [">"], 10), lambda _: None).open()


@pytest.mark.parametrize("subject", ["bihuan.>", "_INBOX_dispatch.>", "$JS.>", ">"])
async def test_service_may_not_listen_in(
    intake: Connection, operator: JetStreamContext, bus: Bus, subject: str
) -> None:
    heard: list[str] = []

    async def hear(message: object) -> None:
        heard.append(str(message))

    await intake.client.subscribe(subject, cb=hear)
    await intake.client.flush()
    await publish(intake, "bihuan.intake.case.opened.v1")
    await operator.publish("bihuan.intake.case.opened.v1", b"{}")
    await intake.client.flush()
    assert heard == []
    assert bus.is_connected


@pytest.mark.parametrize("stream", [EVENTS, COMMANDS])
async def test_service_has_its_own_consumer(intake: Connection, stream: str) -> None:
    heard: list[str] = []
    subject = {EVENTS: "bihuan.intake.case.opened.v1", COMMANDS: "bihuan.intake.commands.close"}[stream]
    pull = Pull(intake, Durable(stream, "intake", [subject], 10), lambda message: heard.append(message.subject))
    await pull.open()
    await publish(intake, subject)
    await pull.request(1)
    assert heard == [subject]
    await pull.close()


async def test_gateway_hears_no_events_without_a_consumer(nats_server: EmbeddedNats, bus: Bus) -> None:
    async with connect(nats_server, "gateway") as gateway:
        await gateway.connected()
        await eventually(lambda: gateway.is_connected)
        with pytest.raises(PublishRefusedError):
            await publish(await gateway.connected(), "bihuan.intake.case.opened.v1")
