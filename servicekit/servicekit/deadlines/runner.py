"""The loop that fires clocks for the life of a service. Any number of replicas may run it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date, datetime
from typing import Any

import structlog

from servicekit.clock import Clock
from servicekit.database import Database, is_database_trouble
from servicekit.deadlines.alarms import alarm_of
from servicekit.deadlines.calendars import calendars_of
from servicekit.deadlines.firing import Firing
from servicekit.deadlines.handlers import DeadlineHandlers
from servicekit.deadlines.recalculation import settle_provisional
from servicekit.moments import CHINA_TIME
from servicekit.tasks import end
from standards import load

# How long a clock started by another process, or freed by one that died, can go unnoticed.
POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
# A mark that has come and is locked is in the hands of another replica or of a use case, for milliseconds mostly.
LOCKED_SECONDS = 0.05

_NEXT = "SELECT min(fires_at) AS moment FROM deadlines WHERE fires_at IS NOT NULL"

log = structlog.get_logger(__name__)


class DeadlineRunner:
    """Fires the marks of a service's clocks when platform time reaches them, also those that came while it was down."""

    def __init__(self, database: Database, clock: Clock, handlers: DeadlineHandlers) -> None:
        """Raises KeyError when something is registered for a clock that the standards don't have."""
        if unknown := handlers.clocks - load().clocks.keys():
            raise KeyError(f"the standards have no clock {', '.join(sorted(unknown))}")
        self._database = database
        self._clock = clock
        self._firing = Firing(database, handlers)
        self._alarm = alarm_of(database.engine.sync_engine)
        self._stopping = asyncio.Event()
        self._settled_on: date | None = None

    async def run(self) -> None:
        """Fires until `stop`; PostgreSQL may come and go. Cancelled, the batch at hand is undone and fires again."""
        while not self._stopping.is_set():
            try:
                await self._settle_daily()
                self._alarm.reset()
                until = await self._next_mark()
                if self._has_come(until) and await self._firing.fire_due():
                    continue
                await self._rest(until)
            except Exception as error:
                if is_database_trouble(error):
                    log.warning("deadlines_wait_for_database", error=repr(error.__cause__ or error))
                else:
                    log.exception("deadlines_failed")
                await self._first_of(self._stopping.wait(), seconds=RETRY_SECONDS)

    def stop(self) -> None:
        """Takes no more; `run` returns when the batch at hand is committed."""
        self._stopping.set()

    async def _settle_daily(self) -> None:
        # Not only at the start: during an upgrade a replica with the older standards may still start clocks.
        today = self._clock.now().astimezone(CHINA_TIME).date()
        if self._settled_on != today:
            calendars = calendars_of(load())
            async with self._database.transaction("settle_provisional_deadlines") as tx:
                settled = await settle_provisional(tx, calendars)
            self._settled_on = today
            if settled:
                log.info("provisional_deadlines_settled", count=settled)

    async def _next_mark(self) -> datetime | None:
        async with self._database.transaction("next_deadline") as tx:
            [row] = await tx.fetch(_NEXT)
        moment: datetime | None = row["moment"]
        return moment

    def _has_come(self, moment: datetime | None) -> bool:
        return moment is not None and moment <= self._clock.now()

    async def _rest(self, until: datetime | None) -> None:
        if self._has_come(until):
            await self._first_of(self._stopping.wait(), seconds=LOCKED_SECONDS)
            return
        self._alarm.expect(until)
        waits: list[Coroutine[Any, Any, Any]] = [self._alarm.rung(), self._stopping.wait()]
        if until is not None:
            waits.append(self._clock.wait_until(until))
        await self._first_of(*waits, seconds=POLL_SECONDS)

    @staticmethod
    async def _first_of(*waits: Coroutine[Any, Any, Any], seconds: float) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(tasks)
