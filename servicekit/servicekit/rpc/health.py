"""grpc.health.v1: whether the service can do its work at the moment, and whether the process lives at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

Ready = Callable[[], Awaitable[bool]]
"""Tells whether the service can work, such as `database.is_reachable`."""

LIVENESS: Final = "liveness"
"""The name under which health answers SERVING as long as the process answers anything: a database that is away is no
reason to restart a process. For an orchestrator's liveness probe."""

PROBE_SECONDS: Final = 2.0
WATCH_SECONDS: Final = 1.0

Status: TypeAlias = health_pb2.HealthCheckResponse
Context = grpc.aio.ServicerContext[Any, Any]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated without types
    """SERVING while `ready` says so and the server is not draining. Knows the whole server, by the empty name, and
    LIVENESS."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """From now on NOT_SERVING, and watchers are let go: an open watch would hold up the end."""
        self._draining.set()

    async def status(self) -> Status:
        if self._draining.is_set():
            return Status(status=Status.NOT_SERVING)
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                ready = await self._ready()
        except Exception:
            ready = False
        return Status(status=Status.SERVING if ready else Status.NOT_SERVING)

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> Status:
        if request.service == LIVENESS:
            return Status(status=Status.SERVING)
        if request.service:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"health is known for the whole server (the empty name) and {LIVENESS!r}"
            )
        return await self.status()

    async def Watch(self, request: health_pb2.HealthCheckRequest, _context: Context) -> AsyncIterator[Status]:
        if request.service:
            yield Status(status=Status.SERVICE_UNKNOWN)
            return
        last = None
        while True:
            current = await self.status()
            if current != last:
                yield current
                last = current
            if self._draining.is_set():
                return
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._draining.wait()
            except TimeoutError:
                continue
