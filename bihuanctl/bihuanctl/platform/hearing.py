"""Platform time is told to the services as an event is: they hear of it a moment after it was moved on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bihuan.platform.v1.inspection_pb2 import Backlog, GetBacklogRequest
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceStub
from servicekit.errors import Fault
from servicekit.rpc.client import Channel

PATIENCE_SECONDS: Final = 10.0
LOOK_INTERVAL: Final = 0.01
# A service reckons from when it began to count; nobody moves time on by less than this.
UNSHARP: Final = timedelta(seconds=1)


def has_heard(backlog: Backlog, offset: timedelta) -> bool:
    """Whether the service that tells this knows that platform time is ahead of real time by `offset`."""
    return backlog.clock_ahead.ToTimedelta() > offset - UNSHARP


async def until_heard(channels: Mapping[str, Channel], offset: timedelta) -> None:
    """Returns when every service knows `offset`. Who can't be asked is passed over: it learns the time at its start."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for channel in channels.values():
        stub = InspectionServiceStub(channel)  # type: ignore[no-untyped-call]
        try:
            while not has_heard(await stub.GetBacklog(GetBacklogRequest(only_waiting=True)), offset):
                if time.monotonic() > deadline:
                    return
                await asyncio.sleep(LOOK_INTERVAL)
        except Fault:
            continue
