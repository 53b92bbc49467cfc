"""The connection to NATS, for the life of the process.

Nobody waits for NATS at start, and nobody dies with it: `connected()` gives the connection there is now, or waits for
the next one. A connection that was lost stays lost (`Connection.lost`); who was in the middle of something finds out,
takes the next connection and begins that piece of work again.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from servicekit.messaging.answers import Answer, Answers
from servicekit.messaging.streams import inbox_prefix
from servicekit.messaging.trouble import BUS_TROUBLE, BusAwayError, PublishRefusedError
from servicekit.tasks import end

RECONNECT_SECONDS = 0.25
CONNECT_SECONDS = 2
PING_SECONDS = 10
ACK_SECONDS = 5.0
_SUPERVISION_SECONDS = 0.25
# The client's own reconnecting is given this long before the client is replaced by a new one.
_GIVE_UP_CLIENT_SECONDS = 30.0
_FORBIDDEN = re.compile(r"permissions violation for publish to \"(?P<subject>[^\"]+)\"", re.IGNORECASE)
_PROTOCOL_BYTES = 64

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Connection:
    """One unbroken connection. `lost` is set when it breaks and never cleared."""

    client: Client
    jetstream: JetStreamContext
    answers: Answers
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: dict[str, set[Answer]] = field(default_factory=dict)

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str], *, room: int = 0) -> Answer:
        """Sends and gives the stream's answer as a future, so that many can be under way in order.

        The future ends with PublishRefusedError when NATS says that this user may not publish there, or the stream that
        it will not take the message; await it by `acknowledged`, which bounds the wait. `room` is the number of bytes
        that must be left for headers added later. Raises PublishRefusedError for a message that is too large and
        BusAwayError when the connection is lost.
        """
        size = len(body) + sum(len(name) + len(value.encode()) + 4 for name, value in headers.items())
        if size + room + _PROTOCOL_BYTES > self.client.max_payload:
            # Checked here with the headers, because the server answers a breach by closing the connection.
            raise PublishRefusedError(f"{size} bytes with headers; NATS takes {self.client.max_payload}")
        if self.lost.is_set():
            raise BusAwayError("the connection to NATS is lost")
        inbox, answer = self.answers.expect()
        try:
            await self._send(subject, body, headers, inbox)
        except BaseException:  # cancelled as well: nobody will look at the answer
            answer.cancel()
            raise
        waiting = self._in_flight.setdefault(subject, set())
        waiting.add(answer)
        answer.add_done_callback(lambda done: self._landed(subject, done))
        return answer

    async def _send(self, subject: str, body: bytes, headers: Mapping[str, str], inbox: str) -> None:
        try:
            await self.client.publish(subject, body, reply=inbox, headers=dict(headers))
        except BUS_TROUBLE as away:
            raise BusAwayError(str(away)) from away
        except nats.errors.Error as wrong:
            raise PublishRefusedError(str(wrong)) from wrong
        if self.lost.is_set():  # while it was being sent
            raise BusAwayError("the connection to NATS is lost")

    async def acknowledged(self, answer: Answer) -> None:
        """Returns when the stream has the message. Raises PublishRefusedError or BusAwayError."""
        [failure] = await self.settled([answer])
        if failure is not None:
            raise failure

    async def settled(self, answers: Sequence[Answer]) -> list[PublishRefusedError | BusAwayError | None]:
        """What became of each message, in the order given: None where the stream has it. Bounded by ACK_SECONDS."""
        if answers:
            try:
                await asyncio.wait(answers, timeout=ACK_SECONDS)
            finally:  # also when the caller is cancelled: nobody will look at those that are missing
                for answer in answers:
                    answer.cancel()
        return [_failure(answer) for answer in answers]

    async def until_lost(self, work: Awaitable[T]) -> T:
        """The outcome of `work`, unless the connection is lost before: then BusAwayError, and `work` is cancelled."""
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait({task, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise BusAwayError("the connection to NATS was lost")
            return task.result()
        finally:
            lost.cancel()
            if not task.done():
                task.cancel()

    def lose(self) -> None:
        """It has broken: nothing that is under way will be acknowledged any more."""
        self.lost.set()
        for answer in [answer for answers in self._in_flight.values() for answer in answers]:
            if not answer.done():
                answer.set_exception(BusAwayError("the connection to NATS was lost"))

    def forbid(self, subject: str) -> None:
        """NATS has refused what was published to `subject`; it names no message, and they all meet the same answer."""
        # The client gives the server's words in lower case.
        refused = [answer for name, answers in self._in_flight.items() if name.lower() == subject for answer in answers]
        for answer in refused:
            if not answer.done():
                answer.set_exception(PublishRefusedError(f"this service may not publish to {subject}"))

    def _landed(self, subject: str, answer: Answer) -> None:
        waiting = self._in_flight.get(subject, set())
        waiting.discard(answer)
        if not waiting:
            self._in_flight.pop(subject, None)
        if not answer.cancelled():
            answer.exception()  # Seen, even where the caller has given up waiting.


def _failure(answer: Answer) -> PublishRefusedError | BusAwayError | None:
    if not answer.done() or answer.cancelled():
        return BusAwayError("no acknowledgement from the stream")
    match answer.exception():
        case None:
            return None
        case PublishRefusedError() | BusAwayError() as failure:
            return failure
        case error:
            return BusAwayError(f"no acknowledgement from the stream: {error!r}")


class Bus:
    """One process's place on the bus. `service` names its NATS user's inbox; the operator uses `operator`."""

    def __init__(self, url: str, *, service: str, user: str = "", password: str = "") -> None:
        self.service = service
        self._url = url
        self._user = user
        self._password = password
        self._current: Connection | None = None
        self._available = asyncio.Event()
        self._supervision: asyncio.Task[None] | None = None
        # What has been told since it was last connected.
        self._complaints: set[str] = set()

    @property
    def is_connected(self) -> bool:
        return self._current is not None and not self._current.lost.is_set()

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        if self._supervision is None:
            self._supervision = asyncio.create_task(self._stay_connected(), name="bus")

    async def stop(self) -> None:
        """Sends what is under way and closes the connection."""
        if self._supervision is not None:
            await end([self._supervision])
            self._supervision = None
        self._lose()

    async def connected(self) -> Connection:
        """The connection there is, or the next one; waits as long as it takes."""
        while self._current is None or self._current.lost.is_set():
            await self._available.wait()
        return self._current

    async def __aenter__(self) -> Bus:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _stay_connected(self) -> None:
        """Replaces the client whenever it has closed for good or cannot find back; its own reconnecting comes first."""
        while True:
            client = Client()
            try:
                await self._connect(client)
                await self._watch(client)
            except Exception as error:  # whatever the client stumbles over, the next one may not
                log.warning("bus_connection_failed", error=repr(error))
            finally:
                self._lose()
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self._close(client), CONNECT_SECONDS)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _connect(self, client: Client) -> None:
        jetstream, answers = client.jetstream(timeout=ACK_SECONDS), Answers(inbox_prefix(self.service))

        async def report(error: Exception) -> None:
            forbidden = _FORBIDDEN.search(str(error))
            if forbidden and self._current is not None:
                self._current.forbid(forbidden["subject"])
            complaint = str(error) or repr(error)
            # While it is away the client tries several times a second: the same complaint is told once.
            if self.is_connected or complaint not in self._complaints:
                log.warning("bus_error" if self.is_connected else "bus_away", error=complaint)
            self._complaints.add(complaint)

        async def disconnected() -> None:
            if self.is_connected:
                log.warning("bus_lost")
            self._lose()

        async def reconnected() -> None:
            self._gain(Connection(client, jetstream, answers))

        await client.connect(
            self._url,
            user=self._user or None,
            password=self._password or None,
            name=self.service,
            inbox_prefix=inbox_prefix(self.service),
            error_cb=report,
            disconnected_cb=disconnected,
            reconnected_cb=reconnected,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # seconds, used in asyncio.sleep
            connect_timeout=CONNECT_SECONDS,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=2,
            flush_timeout=ACK_SECONDS,
        )
        await answers.listen(client)
        self._gain(Connection(client, jetstream, answers))

    async def _watch(self, client: Client) -> None:
        """Returns when this client is of no more use."""
        away_since: float | None = None
        clock = asyncio.get_running_loop()
        while not client.is_closed:
            await asyncio.sleep(_SUPERVISION_SECONDS)
            if client.is_connected:
                away_since = None
                continue
            self._lose()
            away_since = away_since or clock.time()
            if clock.time() - away_since > _GIVE_UP_CLIENT_SECONDS:
                return

    async def _close(self, client: Client) -> None:
        if client.is_connected:
            await client.flush(timeout=1)
        await client.close()

    def _gain(self, connection: Connection) -> None:
        self._complaints.clear()
        self._current = connection
        self._available.set()
        log.info("bus_connected", url=self._url)

    def _lose(self) -> None:
        self._available.clear()
        if self._current is not None:
            self._current.lose()
            self._current = None
