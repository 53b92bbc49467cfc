"""A durable pull consumer, asked for as many messages as there is room for."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from servicekit.messaging.bus import Connection
from servicekit.messaging.trouble import BusAwayError

ACK_WAIT_SECONDS = 30.0
_REQUEST_SECONDS = 10
# How long the server may be late with the end of a request before it is taken for lost.
_GRACE_SECONDS = 3
_NANOSECONDS = 1_000_000_000
# There are no more, or it has expired.
_REQUEST_ENDED = ("404", "408")


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable consumer: its stream, its name, the subjects it gets, and how many may be under way at once."""

    stream: str
    name: str
    filters: Sequence[str]
    max_ack_pending: int

    def config(self) -> ConsumerConfig:
        return ConsumerConfig(
            name=self.name,
            durable_name=self.name,
            filter_subjects=list(self.filters),
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            # How often is decided by us, who know a failure from an outage; the server would give up silently.
            max_deliver=-1,
            max_ack_pending=self.max_ack_pending,
        )


class Pull:
    """Messages of one durable consumer on one connection, given to `arrived` as they come.

    nats-py's own `fetch` waits for a whole batch, or costs a request for each message. Here a request `lingers`, and
    messages are taken on one by one without delay; or it ends with what there is, once there is anything.
    """

    def __init__(
        self, connection: Connection, durable: Durable, arrived: Callable[[Msg], None], *, lingers: bool = True
    ) -> None:
        self._connection = connection
        self._durable = durable
        self._arrived = arrived
        self._lingers = lingers
        self._inbox = connection.client.new_inbox()
        self._subscription: Subscription | None = None
        self._serial = 0
        self._left = 0
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Creates the durable consumer or brings it to today's settings, and listens."""
        await self._connection.jetstream.add_consumer(self._durable.stream, config=self._durable.config())
        self._subscription = await self._connection.client.subscribe(f"{self._inbox}.*", cb=self._on_message)

    async def request(self, count: int) -> bool:
        """Asks for `count` messages and returns when they have come, or there were no more for a while; whether all
        have come.

        Raises BusAwayError when the connection is lost or the server has dropped the consumer.
        """
        if self._connection.lost.is_set():
            # The client would ask all the same once it is back, and what came of it would be left lying.
            raise BusAwayError("the connection was lost before the request for messages")
        self._serial += 1
        self._left = count
        self._ended = asyncio.get_running_loop().create_future()
        wanted: dict[str, int | bool] = {"batch": count, "expires": _REQUEST_SECONDS * _NANOSECONDS}
        if not self._lingers:
            # With an expiry: while there is nothing, the server waits for the first message.
            wanted["no_wait"] = True
        try:
            await self._connection.client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._durable.stream}.{self._durable.name}",
                json.dumps(wanted).encode(),
                reply=f"{self._inbox}.{self._serial}",
            )
            async with asyncio.timeout(_REQUEST_SECONDS + _GRACE_SECONDS):
                await self._connection.until_lost(self._ended)
        except (nats.errors.Error, TimeoutError) as away:
            raise BusAwayError(f"the request for messages was lost: {away!r}") from away
        return self._left <= 0

    async def close(self) -> None:
        """Stops listening; the durable consumer stays. What the server has sent already still arrives."""
        if self._subscription is None or self._connection.client.is_closed:
            return
        with contextlib.suppress(nats.errors.Error):
            if self._connection.lost.is_set():
                await self._subscription.unsubscribe()
            else:
                await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py leaves it bare

    async def _on_message(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            self._arrived(message)
            self._left -= 1
            if self._left == 0 and not self._ended.done():
                self._ended.set_result(None)
        elif message.subject.endswith(f".{self._serial}") and not self._ended.done():
            if status in _REQUEST_ENDED:
                self._ended.set_result(None)
            else:
                reason = (message.headers or {}).get("Description", "")
                self._ended.set_exception(BusAwayError(f"the server ended the request: {status} {reason}"))
