"""What streams answer to what is published is known as soon as they have answered, also when they refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StreamConfig
from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.streams import EVENTS
from servicekit.messaging.trouble import BusAwayError, PublishRefusedError

SUBJECT = "bihuan.intake.case.opened.v1"


@pytest_asyncio.fixture
async def events(operator: JetStreamContext) -> AsyncIterator[StreamConfig]:
    """The configuration of the stream of events, which the test may change."""
    config = (await operator.stream_info(EVENTS)).config
    yield config
    await operator.update_stream(config)


@pytest_asyncio.fixture
async def intake(bus: Bus) -> Connection:
    return await bus.connected()


async def publish(connection: Connection, body: bytes) -> None:
    await connection.acknowledged(await connection.publish(SUBJECT, body, {}))


async def test_a_message_that_a_stream_never_takes_is_refused_at_once(
    intake: Connection, operator: JetStreamContext, events: StreamConfig
) -> None:
    await operator.update_stream(replace(events, max_msg_size=100))
    with pytest.raises(PublishRefusedError, match="message size exceeds maximum"):
        await publish(intake, b"x" * 200)
    await publish(intake, b"{}")


async def test_a_stream_without_room_may_have_some_later(
    intake: Connection, operator: JetStreamContext, events: StreamConfig
) -> None:
    await operator.update_stream(replace(events, max_msgs=1, discard=DiscardPolicy.NEW))
    await publish(intake, b"{}")
    with pytest.raises(BusAwayError, match="maximum messages exceeded"):
        await publish(intake, b"{}")
    await operator.update_stream(events)
    await publish(intake, b"{}")


async def test_a_subject_that_no_stream_has_is_answered_at_once(
    intake: Connection, operator: JetStreamContext, events: StreamConfig
) -> None:
    await operator.update_stream(replace(events, subjects=["bihuan.quality.*.*.v1"]))
    with pytest.raises(BusAwayError, match="no stream"):
        await publish(intake, b"{}")
