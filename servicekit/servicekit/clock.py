"""Time is a port: the whole platform can be moved forward in a test or a demo.

Platform time is real time plus an offset that only grows. Tokens, NATS windows and process timeouts use real time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import KeyWrongLastSequenceError, NotFoundError

from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.streams import CLOCK_BUCKET, CLOCK_CHANGED, CLOCK_KEY
from servicekit.messaging.trouble import is_bus_trouble

# Longest sleep before the clock is looked at again: a machine that was suspended wakes late, never wrong.
_LONGEST_SLEEP_SECONDS = 60.0
_RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Clock(Protocol):
    """Where platform time comes from."""

    def now(self) -> datetime:
        """Platform time in UTC."""
        ...

    async def wait_until(self, moment: datetime) -> None:
        """Returns when platform time has reached `moment`, also when the clock is moved on to it."""
        ...

    def changes(self) -> AsyncIterator[timedelta]:
        """The offset from real time, each time that it changes from now on."""
        ...


class _Offset:
    """An offset that only grows, and those who wait for it to."""

    def __init__(self) -> None:
        self.value = timedelta()
        self._changed = asyncio.Event()

    def raise_to(self, value: timedelta) -> None:
        if value > self.value:
            self.value = value
            self._changed.set()
            self._changed = asyncio.Event()

    async def wait_for_change(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    async def changes(self) -> AsyncIterator[timedelta]:
        seen = self.value
        while True:
            changed = self._changed
            if self.value == seen:
                await changed.wait()
            seen = self.value
            yield seen


class SystemClock:
    """Real time; it cannot be moved."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, moment: datetime) -> None:
        await _wait(self, _Offset(), moment)

    async def changes(self) -> AsyncIterator[timedelta]:
        await asyncio.Event().wait()
        yield timedelta()


class ManualClock:
    """Time that stands still until it is told to go on; for tests of rules and of waiting."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._offset = _Offset()

    def now(self) -> datetime:
        return self._start + self._offset.value

    def advance(self, step: timedelta) -> None:
        """Moves time on by `step`. Raises ValueError when that would be backwards."""
        self._offset.raise_to(self._offset.value + _forward(step))

    async def wait_until(self, moment: datetime) -> None:
        while self.now() < moment:
            await self._offset.wait_for_change(None)

    def changes(self) -> AsyncIterator[timedelta]:
        return self._offset.changes()


class AdjustableClock:
    """Real time plus the offset kept in the bucket `platform_clock`, the same in every process.

    While NATS is away the last known offset counts. `follow()` is run as a task for the life of the process; `ready()`
    returns once the offset has been read for the first time.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._offset = _Offset()
        self._known = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset.value

    @property
    def offset(self) -> timedelta:
        return self._offset.value

    async def ready(self) -> None:
        await self._known.wait()

    def assume(self, offset: timedelta) -> None:
        """Counts with what is known of the offset from elsewhere, until NATS tells it."""
        self._offset.raise_to(offset)

    async def wait_until(self, moment: datetime) -> None:
        await _wait(self, self._offset, moment)

    def changes(self) -> AsyncIterator[timedelta]:
        return self._offset.changes()

    async def follow(self) -> None:
        """Keeps up with the platform's offset; never returns."""
        while True:
            connection = await self._bus.connected()
            try:
                await self._follow(connection)
            except Exception as error:
                if not is_bus_trouble(error):
                    log.exception("clock_unreadable")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, connection: Connection) -> None:
        async def changed(message: Msg) -> None:
            self._offset.raise_to(_read(message.data))

        # Listening comes before reading, so that no change falls between the two.
        subscription = await connection.client.subscribe(CLOCK_CHANGED, cb=changed)
        try:
            offset, _ = await read_offset(connection.jetstream)
            self._offset.raise_to(offset)
            self._known.set()
            await connection.lost.wait()
        finally:
            if not connection.client.is_closed:
                await subscription.unsubscribe()


async def read_offset(jetstream: JetStreamContext) -> tuple[timedelta, int]:
    """The platform's offset and its revision; (0, 0) when the clock was never moved."""
    # The bucket is read by its stream, because opening a bucket first asks for rights that services do not have.
    try:
        entry = await jetstream.get_last_msg(f"KV_{CLOCK_BUCKET}", f"$KV.{CLOCK_BUCKET}.{CLOCK_KEY}", direct=True)
    except NotFoundError:
        return timedelta(), 0
    return _read(entry.data or b""), entry.seq or 0


async def advance(jetstream: JetStreamContext, step: timedelta) -> timedelta:
    """Moves the whole platform's clock on by `step` and gives the new offset; for the operator.

    Two who advance at once both count. Raises ValueError when `step` is negative.
    """
    bucket = await jetstream.key_value(CLOCK_BUCKET)
    while True:
        offset, revision = await read_offset(jetstream)
        wanted = offset + _forward(step)
        try:
            await bucket.update(CLOCK_KEY, str(wanted.total_seconds()).encode(), last=revision)
        except KeyWrongLastSequenceError:
            continue
        return wanted


def _read(value: bytes) -> timedelta:
    return timedelta(seconds=float(value))


def _forward(step: timedelta) -> timedelta:
    if step < timedelta():
        raise ValueError("the clock only goes forward")
    return step


async def _wait(clock: Clock, offset: _Offset, moment: datetime) -> None:
    while (left := (moment - clock.now()).total_seconds()) > 0:
        await offset.wait_for_change(min(left, _LONGEST_SLEEP_SECONDS))
