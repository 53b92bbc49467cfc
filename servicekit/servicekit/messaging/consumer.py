"""The loop that takes a service's messages from the bus and makes each take effect once.

Replicas share one durable consumer on each stream. Within a process the messages of one case are handled one after
the other, cases side by side, or what has come in a moment all together. A message is acknowledged only after its
transaction has committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import nats.errors
import structlog
from nats.aio.msg import Msg

from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.delivery import Delivery
from servicekit.messaging.handling import ComeAgain, Handling, Settled, TryAgain
from servicekit.messaging.lag import measure_lag
from servicekit.messaging.pull import ACK_WAIT_SECONDS, Durable, Pull
from servicekit.messaging.reactions import Reactions
from servicekit.messaging.retries import RetryPolicy
from servicekit.messaging.streams import COMMANDS, EVENTS, redeliver_subject
from servicekit.messaging.together import Together
from servicekit.messaging.trouble import is_bus_trouble
from servicekit.tasks import end

if TYPE_CHECKING:
    from servicekit.database import Database

# Messages held in this process for each one that can be handled at the same time.
HELD_PER_HANDLER = 16
# Messages held besides, in cases that rest after a failure: a flood of poison must not keep healthy cases out.
MOST_RESTING = 5_000
# Messages that a service may leave unacknowledged, over all of its replicas. Those told `NotYet` count, so it is far
# more than are ever held: what they wait for must still get through.
MOST_UNDER_WAY = 20_000
RETRY_SECONDS = 1.0
# Between two looks at the stream of a consumer that handles messages together: what comes meanwhile shares a
# transaction. After a look that found as much as it asked for, the next one is at once.
GATHER_SECONDS = 0.05
DEFAULT_POLICY = RetryPolicy()

log = structlog.get_logger(__name__)


class Consumer:
    """Runs the reactions of one service."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        reactions: Reactions,
        *,
        concurrency: int = 8,
        policy: RetryPolicy = DEFAULT_POLICY,
        most_resting: int = MOST_RESTING,
        together: bool = False,
    ) -> None:
        """`together`: what comes within `GATHER_SECONDS` is handled in one transaction."""
        self._bus = bus
        self._reactions = reactions
        self._handling = Handling(database, bus, reactions, policy)
        self._together = Together(database, reactions) if together else None
        self._handlers = asyncio.Semaphore(concurrency)
        self._most_held = concurrency * HELD_PER_HANDLER
        self._most_resting = most_resting
        self._held: set[Delivery] = set()
        self._room = asyncio.Event()
        self._stopping = asyncio.Event()
        self._lanes: dict[str, deque[Delivery]] = {}
        # Lanes of what has come and is to be handled together.
        self._gathered: dict[str, deque[Delivery]] = {}
        # Lanes whose first message has failed and is tried again later.
        self._resting: set[str] = set()
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Consumes until `stop`; PostgreSQL and NATS may come and go.

        Cancelled, it drops what it is doing: open transactions are undone and the messages come again.
        """
        service = self._reactions.service
        filters = {
            EVENTS: self._reactions.event_filters(),
            COMMANDS: [*self._reactions.command_filters(), redeliver_subject(service)],
        }
        durables = [
            Durable(stream, service, subjects, MOST_UNDER_WAY) for stream, subjects in filters.items() if subjects
        ]
        loops = [asyncio.create_task(self._consume(durable), name=durable.stream) for durable in durables]
        loops.append(asyncio.create_task(self._keep_alive(), name="keep alive"))
        loops.append(asyncio.create_task(measure_lag(self._bus, durables, self._reactions), name="lag"))
        try:
            await self._stopping.wait()
            await end(loops)
            while self._workers:
                # What is handled together may leave some to be handled one by one.
                await asyncio.gather(*self._workers)
        finally:
            await end(loops)
            await end(list(self._workers))

    def stop(self) -> None:
        """Takes no more; `run` returns when what is being handled is done. The rest is handed back to the stream."""
        self._stopping.set()

    async def _consume(self, durable: Durable) -> None:
        while True:
            connection = await self._bus.connected()
            try:
                await self._consume_on(connection, durable)
            except Exception as error:
                if not is_bus_trouble(error):
                    # Above all: the streams are not provisioned yet, or the rights are missing. Neither is for ever.
                    log.exception("consumer_failed", stream=durable.stream)
                else:
                    log.warning("consumer_waits", stream=durable.stream, reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _consume_on(self, connection: Connection, durable: Durable) -> None:
        pull = Pull(connection, durable, self._take, lingers=self._together is None)
        try:
            await pull.open()
            while True:
                if durable.stream == EVENTS:
                    await self._reactions.attentive()
                try:
                    is_filled = await pull.request(await self._room_for())
                finally:
                    # Also of a request that was broken off: what has come is handled.
                    handling = self._begin_together()
                if handling:
                    await asyncio.wait(handling)
                if self._together and not is_filled:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            await pull.close()

    async def _room_for(self) -> int:
        """How many more messages may be held; waits until there is room for one."""
        while (room := self._room_left()) <= 0:
            self._room.clear()
            await self._room.wait()
        return room

    def _room_left(self) -> int:
        resting = sum(len(self._lanes[key]) for key in self._resting)
        return min(self._most_held - (len(self._held) - resting), self._most_resting - resting)

    def _take(self, message: Msg) -> None:
        """Puts a message at the end of its case's lane, and sees to it that somebody works there."""
        delivery = Delivery.read(message, self._reactions.service)
        self._held.add(delivery)
        lane = self._lanes.get(delivery.order_key)
        if lane is not None:
            lane.append(delivery)
            return
        lane = self._lanes[delivery.order_key] = deque([delivery])
        # One that comes again, perhaps because it fails, is not put together with others.
        if self._together and not delivery.has_failed and not self._stopping.is_set():
            self._gathered[delivery.order_key] = lane
        else:
            self._begin_lane(delivery.order_key, lane)

    def _begin_lane(self, key: str, lane: deque[Delivery]) -> None:
        self._begin(self._work(key, lane), f"lane {key}")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        worker = asyncio.create_task(work, name=name)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return worker

    def _begin_together(self) -> list[asyncio.Task[None]]:
        """Begins to handle what is gathered, if anything is."""
        if not (self._together and self._gathered):
            return []
        lanes, self._gathered = self._gathered, {}
        return [self._begin(self._work_together(self._together, lanes), "together")]

    async def _work_together(self, together: Together, lanes: dict[str, deque[Delivery]]) -> None:
        # Cases in one order for all replicas, so that transactions wait for each other's rows in one direction.
        batch = [
            delivery for key in sorted(lanes) for delivery in takewhile(lambda each: not each.has_failed, lanes[key])
        ]
        try:
            if len(batch) > 1 and not self._stopping.is_set() and await together.attempt(batch):
                for delivery in batch:
                    await _answer(delivery.message.ack())
                    self._held.discard(lanes[delivery.order_key].popleft())
                self._room.set()
        except Exception:
            log.exception("messages_not_handled_together")
        # What is left, because it came alone or meanwhile, or has failed, goes its way one by one.
        for key, lane in lanes.items():
            if lane:
                self._begin_lane(key, lane)
            else:
                del self._lanes[key]

    async def _work(self, key: str, lane: deque[Delivery]) -> None:
        try:
            while lane:
                # It stays at the head while it is handled, so that a message that comes meanwhile queues behind it.
                await self._settle(lane[0])
                self._held.discard(lane.popleft())
                self._room.set()
        finally:
            self._held.difference_update(lane)
            self._room.set()
            del self._lanes[key]

    async def _settle(self, delivery: Delivery) -> None:
        """Tries until the message is acknowledged or handed back to the stream."""
        while not self._stopping.is_set():
            async with self._handlers:
                if self._stopping.is_set():
                    break
                outcome = await self._handling.attempt(delivery)
            match outcome:
                case Settled():
                    await _answer(delivery.message.ack())
                    return
                case ComeAgain(seconds):
                    await _answer(delivery.message.nak(delay=seconds))
                    return
                case TryAgain(seconds, of_itself):
                    with self._at_rest(delivery.order_key) if of_itself else contextlib.nullcontext():
                        await self._stopping_within(seconds)
        await _answer(delivery.message.nak())

    @contextlib.contextmanager
    def _at_rest(self, key: str) -> Iterator[None]:
        """While the block lasts, the messages of this lane take no room from those that can be handled."""
        self._resting.add(key)
        self._room.set()
        try:
            yield
        finally:
            self._resting.discard(key)

    async def _stopping_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _keep_alive(self) -> None:
        """Tells the stream that what is held here is being worked on, so that it is not given to somebody else."""
        while True:
            await asyncio.sleep(ACK_WAIT_SECONDS / 3)
            for delivery in list(self._held):
                await _answer(delivery.message.in_progress())


async def _answer(sending: Awaitable[None]) -> None:
    """Tells the stream about a message. When the bus is away the message comes again, and the inbox knows it."""
    try:
        await sending
    except nats.errors.Error as error:
        log.info("acknowledgement_lost", error=repr(error))
