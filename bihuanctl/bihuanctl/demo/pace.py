"""Platform time during the play: moved on in steps, each time after everything that is on its way has arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from bihuan.platform.v1.inspection_pb2 import Backlog, GetBacklogRequest
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceStub
from nats.js import JetStreamContext
from servicekit.errors import Fault
from servicekit.rpc.client import Channel

from bihuanctl.platform.hearing import has_heard
from servicekit import clock as platform_clock

PATIENCE_SECONDS: Final = 30.0
# Asking costs the services time in which they could work: ever less often.
FIRST_LOOK_SECONDS: Final = 0.02
LAST_LOOK_SECONDS: Final = 0.1


class Pace:
    """Reads and moves the platform's clock as the operator, and asks the services whether they are quiet."""

    def __init__(self, jetstream: JetStreamContext, channels: Mapping[str, Channel], offset: timedelta) -> None:
        self._jetstream = jetstream
        self._offset = offset
        self._stubs = {
            service: InspectionServiceStub(channel)  # type: ignore[no-untyped-call]
            for service, channel in channels.items()
        }

    def now(self) -> datetime:
        """Platform time."""
        return datetime.now(UTC) + self._offset

    async def advance_to(self, moment: datetime) -> None:
        """Moves the clock on to `moment`, if it is still to come, and waits until what comes due has happened."""
        if (step := moment - self.now()) > timedelta():
            self._offset = await platform_clock.advance(self._jetstream, step)
        await self.settle()

    async def settle(self) -> None:
        """Returns when everybody knows the time, no event is on its way and no clock is overdue.

        At the latest after a while: what hangs is told by the loop check at the end. Services are asked one after the
        other, so an event could slip through between two of them; it then takes effect a moment of platform time later.
        """
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_LOOK_SECONDS
        while not await self._is_quiet() and time.monotonic() < deadline:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_LOOK_SECONDS)

    async def _is_quiet(self) -> bool:
        """One after the other: the first that is at work tells enough."""
        for stub in self._stubs.values():
            try:
                backlog = await stub.GetBacklog(GetBacklogRequest(only_waiting=True))
            except Fault:
                return False
            waits = backlog.outbox_waiting or backlog.consumer_pending or backlog.deadlines_overdue
            if waits or not has_heard(backlog, self._offset):
                return False
        return True

    async def backlogs(self) -> dict[str, Backlog]:
        """What each service says about its work. Raises Fault while one can't be asked."""
        answers = await asyncio.gather(*(stub.GetBacklog(GetBacklogRequest()) for stub in self._stubs.values()))
        return dict(zip(self._stubs, answers, strict=True))
