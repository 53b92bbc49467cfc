"""Whether this gateway lives, and whether it and the services behind it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from grpc_health.v1 import health_pb2
from servicekit.errors import Fault
from servicekit.rpc.client import Channel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_CHECK: Final = "/grpc.health.v1.Health/Check"
# Less than whoever probes us waits: a service that is slow to answer must not make us look away.
_SECONDS: Final = 1.0


class Health:
    """The answers to the probes."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels

    async def live(self, _request: Request) -> Response:
        """GET /healthz: the process answers."""
        return JSONResponse({"status": "live"})

    async def ready(self, _request: Request) -> Response:
        """GET /readyz: 200 while at least one service can work, with the state of each.

        One service that is away must not take the others off the net; calls to it answer 503 by themselves.
        """
        states = await asyncio.gather(*(_state(channel) for channel in self._channels.values()))
        services = dict(zip(self._channels, states, strict=True))
        ready = "serving" in states
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": "ready" if ready else "waiting", "services": services}, status)


async def _state(channel: Channel) -> str:
    check = channel.unary_unary(
        _CHECK, health_pb2.HealthCheckRequest.SerializeToString, health_pb2.HealthCheckResponse.FromString
    )
    try:
        answer = await check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
    except Fault:
        return "unreachable"
    return "serving" if answer.status == health_pb2.HealthCheckResponse.SERVING else "not_serving"
