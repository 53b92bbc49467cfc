"""Asking a server on this machine over HTTP whether it is well, every few seconds for as long as it lives."""

from __future__ import annotations

import asyncio
from http import HTTPStatus


async def answers_ok(host: str, port: int, path: str, *, patience: float) -> bool:
    """Whether a GET of `path` is answered 200 within `patience` seconds.

    Spoken by hand: it is one line, and a client of the usual libraries reads all certificates of the system first,
    which takes 30 ms of processor time each time.
    """
    try:
        async with asyncio.timeout(patience):
            return await _status(host, port, path) == HTTPStatus.OK
    except (OSError, ValueError, TimeoutError, IndexError):
        return False


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
