"""Reading a stream of a real bus to its end, which silence is not."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from bihuanctl.platform.eventlog import ANSWER_SECONDS, BATCH, read_stream
from nats.js import JetStreamContext
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging.streams import EVENTS

SUBJECT = "bihuan.intake.case.opened.v1"
MESSAGES = BATCH + 10


@pytest.fixture
async def told(operator: JetStreamContext) -> list[int]:
    """Numbers of more messages than are fetched at a time."""
    for _ in range(MESSAGES):
        await operator.publish_async(SUBJECT, b"{}")
    await operator.publish_async_completed()
    state = (await operator.stream_info(EVENTS)).state
    return list(range(state.first_seq, state.last_seq + 1))


async def test_everything_is_read_in_order_from_wherever_one_begins(
    operator: JetStreamContext, told: list[int]
) -> None:
    assert len(told) == MESSAGES
    assert [message.sequence async for message in read_stream(operator, EVENTS)] == told
    later = [message.sequence async for message in read_stream(operator, EVENTS, subject=SUBJECT, after=told[-4])]
    assert later == told[-3:]
    assert [message async for message in read_stream(operator, EVENTS, after=told[-1])] == []


async def test_a_bus_that_falls_silent_has_not_told_everything(
    nats_server: EmbeddedNats, operator: JetStreamContext, told: list[int]
) -> None:
    reading = read_stream(operator, EVENTS)
    read = [(await anext(reading)).sequence for _ in range(BATCH)]
    os.kill(nats_server.pid, signal.SIGSTOP)
    try:
        # Longer than a fetch and the question after it last.
        asyncio.get_running_loop().call_later(2 * ANSWER_SECONDS + 2, os.kill, nats_server.pid, signal.SIGCONT)
        read += [message.sequence async for message in reading]
    finally:
        os.kill(nats_server.pid, signal.SIGCONT)
    assert read == told
