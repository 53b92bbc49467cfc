"""How the supervisor asks its children whether they are well."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

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
    """Well when a GET of `path` answers 200. Spoken by hand: it is one line, and the supervisor stays small."""

    async def healthy() -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return await _status(host, port, path) == HTTPStatus.OK
        except (OSError, ValueError, TimeoutError, IndexError):
            return False

    return healthy


async def _status(host: str, port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        status_line = await reader.readline()
        await reader.read()
    finally:
        writer.close()
    return int(status_line.split()[1])
