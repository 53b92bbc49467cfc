"""Platform time is told to the services as an event is: they hear of it a moment after it was moved on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bihuan.platform.v1.inspection_pb2 import Backlog, GetBacklogRequest
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceStub
from servicekit.errors import Fault
from servicekit.rpc.client import Channel

PATIENCE_SECONDS: Final = 30.0
LOOK_INTERVAL: Final = 0.01
# A service reckons from when it began to count; nobody moves time on by less than this.
UNSHARP: Final = timedelta(seconds=1)


def has_heard(backlog: Backlog, offset: timedelta) -> bool:
    """Whether the service that tells this knows that platform time is ahead of real time by `offset`."""
    return backlog.clock_ahead.ToTimedelta() > offset - UNSHARP


async def until_heard(channels: Mapping[str, Channel], offset: timedelta) -> None:
    """Returns when every service knows `offset`. Who is away is passed over: it learns the time at its start.

    Raises TimeoutError when one neither knows it nor is away.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        for channel in channels.values():
            await _until_one_has_heard(InspectionServiceStub(channel), offset)  # type: ignore[no-untyped-call]


async def _until_one_has_heard(service: InspectionServiceStub, offset: timedelta) -> None:
    while True:
        try:
            if has_heard(await service.GetBacklog(GetBacklogRequest(only_waiting=True)), offset):
                return
        except Fault as fault:
            if fault.code == "unavailable":
                return
        await asyncio.sleep(LOOK_INTERVAL)
