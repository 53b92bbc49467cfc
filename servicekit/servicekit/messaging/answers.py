"""What a stream answers to what was published, message by message, at once also when it says no.

The client's own `publish_async` gives only acknowledgements to those who wait: nats-py 2.16 raises a refusal where the
inbox is read, and whoever waits for that message learns nothing until their time is over.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING

from nats.js.api import Header, StatusCode

from servicekit.ids import uuid7
from servicekit.messaging.trouble import BusAwayError, PublishRefusedError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

# The server's `err_code`s (errors.json in its source) that concern a message of ours itself: it is too large for the
# stream, or its headers are. The code 400 would not do, which also stands for an account without resources (10002) and
# for a sealed stream (10109); what another try may find changed must not be given up.
_MESSAGE_TOO_LARGE, _HEADERS_TOO_LARGE = 10054, 10097
_LONGEST_ANSWER = 100

Answer = asyncio.Future[None]


class Answers:
    """The inbox of one client to which streams answer."""

    def __init__(self, inbox_prefix: str) -> None:
        self._inbox = f"{inbox_prefix}.{uuid7()}"
        self._numbers = itertools.count(1)
        self._awaited: dict[str, Answer] = {}

    async def listen(self, client: Client) -> None:
        """Begins to hear answers; once for the life of the client, which listens again by itself when it reconnects."""
        await client.subscribe(f"{self._inbox}.*", cb=self._hear)

    def expect(self) -> tuple[str, Answer]:
        """Where to have the next message answered, and the answer: None where the stream has the message, else
        PublishRefusedError or BusAwayError. Whoever gives up waiting cancels it.
        """
        inbox = f"{self._inbox}.{next(self._numbers)}"
        answer: Answer = asyncio.get_running_loop().create_future()
        self._awaited[inbox] = answer
        answer.add_done_callback(lambda _: self._awaited.pop(inbox, None))
        return inbox, answer

    async def _hear(self, message: Msg) -> None:
        answer = self._awaited.get(message.subject)
        if answer is None or answer.done():
            return
        failure = _failure_in(message)
        if failure is None:
            answer.set_result(None)
        else:
            answer.set_exception(failure)


def _failure_in(message: Msg) -> PublishRefusedError | BusAwayError | None:
    if message.headers and message.headers.get(Header.STATUS) == StatusCode.SERVICE_UNAVAILABLE:
        return BusAwayError("no stream takes it")
    try:
        told = json.loads(message.data)
    except ValueError:
        told = None
    match told:
        case {"error": {"err_code": code, "description": description}}:
            final = code in (_MESSAGE_TOO_LARGE, _HEADERS_TOO_LARGE)
            return (PublishRefusedError if final else BusAwayError)(f"the stream answers: {description}")
        case {"stream": _, "seq": _} if "error" not in told:
            return None
        case _:
            return BusAwayError(f"what answers is no stream: {message.data[:_LONGEST_ANSWER]!r}")
