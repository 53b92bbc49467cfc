"""What streams answer to what is published is known as soon as they have answered, also when they refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from types import NoneType

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StreamConfig
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging.answers import Answer, Answers
from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.streams import EVENTS, OPERATOR
from servicekit.messaging.trouble import BusAwayError, PublishRefusedError
from servicekit.tasks import end
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually

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


def refusal(number: int) -> bytes:
    """As a stream writes one: its name stands there too, and no place in it."""
    error = {"code": 400, "err_code": number, "description": "as it is"}
    return json.dumps({"error": error, "stream": EVENTS, "seq": 0}).encode()


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (b'{"stream": "BIHUAN_EVENTS", "seq": 7}', None),
        (refusal(10054), PublishRefusedError),  # the message is too large for the stream
        (refusal(10097), PublishRefusedError),  # its headers are too large
        (refusal(10002), BusAwayError),  # the account has used up its resources
        (refusal(10109), BusAwayError),  # the stream is sealed
        (b'{"error": "another form"}', BusAwayError),
        (b'{"stream": "BIHUAN_EVENTS"}', BusAwayError),
        (b"{}", BusAwayError),
        (b"[]", BusAwayError),
        (b"+ACK", BusAwayError),
        (b"\xff", BusAwayError),
        (b"", BusAwayError),
    ],
)
async def test_only_what_a_stream_says_of_the_message_is_final(
    intake: Connection, nats_server: EmbeddedNats, told: bytes, outcome: type[Exception] | None
) -> None:
    inbox, answer = intake.answers.expect()
    async with connect(nats_server, OPERATOR) as operator:
        await (await operator.connected()).client.publish(inbox, told)
        await asyncio.wait([answer])
    assert isinstance(answer.exception(), outcome or NoneType)


class Remembered(Answers):
    """Answers that were expected, for a look at what became of them."""

    def __init__(self) -> None:
        super().__init__("_INBOX_intake")
        self.expected: list[Answer] = []

    def expect(self) -> tuple[str, Answer]:
        inbox, answer = super().expect()
        self.expected.append(answer)
        return inbox, answer


class Full(Client):
    """A client whose socket takes nothing more."""

    async def publish(self, *_: object, **__: object) -> None:
        await asyncio.Event().wait()


class Broken(Client):
    async def publish(self, *_: object, **__: object) -> None:
        raise LookupError


async def test_what_was_stopped_while_it_was_sent_is_expected_no_more() -> None:
    answers = Remembered()
    sending = asyncio.ensure_future(publish(Connection(Full(), Client().jetstream(), answers), b"{}"))
    await eventually(lambda: bool(answers.expected))
    await end([sending])
    assert [answer.cancelled() for answer in answers.expected] == [True]


async def test_what_could_not_be_sent_is_expected_no_more() -> None:
    answers = Remembered()
    with pytest.raises(LookupError):
        await publish(Connection(Broken(), Client().jetstream(), answers), b"{}")
    assert [answer.cancelled() for answer in answers.expected] == [True]


async def test_whoever_is_stopped_while_waiting_expects_nothing_more(intake: Connection) -> None:
    _, answer = intake.answers.expect()
    waiting = asyncio.ensure_future(intake.acknowledged(answer))
    await asyncio.sleep(0)
    await end([waiting])
    assert answer.cancelled()
