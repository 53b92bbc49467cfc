"""How the supervisor asks its children whether they are well."""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from servicekit.embedded.probing import answers_ok

from bihuanctl.supervisor.child import Probe

PATIENCE = 1.5
# A service that was away is tried again at once: whoever waits for its start should not wait for gRPC's back-off.
RECONNECT_MS = 50


def grpc_probe(target: str) -> Probe:
    """Well when `target` answers SERVING (grpc.health.v1)."""
    channel: grpc.aio.Channel | None = None

    async def healthy() -> bool:
        nonlocal channel
        if channel is None:
            channel = grpc.aio.insecure_channel(
                target,
                options=[
                    ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
                    ("grpc.min_reconnect_backoff_ms", RECONNECT_MS),
                    ("grpc.max_reconnect_backoff_ms", RECONNECT_MS),
                ],
            )
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return healthy


def tcp_probe(host: str, port: int) -> Probe:
    """Well when somebody listens there."""

    async def healthy() -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return healthy


def http_probe(host: str, port: int, path: str) -> Probe:
    """Well when a GET of `path` answers 200."""

    async def healthy() -> bool:
        return await answers_ok(host, port, path, patience=PATIENCE)

    return healthy
