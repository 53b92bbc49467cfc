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

from servicekit import clock as platform_clock

PATIENCE_SECONDS: Final = 30.0
LOOK_INTERVAL: Final = 0.02


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
        """Returns when no event is on its way and no clock is overdue.

        At the latest after a while: what hangs is told by the loop check at the end. Services are asked side by side,
        so an event could slip through between two of them; it then takes effect a moment of platform time later.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await self._is_quiet() and time.monotonic() < deadline:  # noqa: ASYNC110 -- other processes' state
            await asyncio.sleep(LOOK_INTERVAL)

    async def _is_quiet(self) -> bool:
        try:
            backlogs = (await self.backlogs(only_waiting=True)).values()
        except Fault:
            return False
        return not any(
            backlog.outbox_waiting or backlog.consumer_pending or backlog.deadlines_overdue for backlog in backlogs
        )

    async def backlogs(self, *, only_waiting: bool = False) -> dict[str, Backlog]:
        """What each service says about its work. Raises Fault while one can't be asked."""
        question = GetBacklogRequest(only_waiting=only_waiting)
        answers = await asyncio.gather(*(stub.GetBacklog(question) for stub in self._stubs.values()))
        return dict(zip(self._stubs, answers, strict=True))
