"""The supervisor's ear: a Unix socket in `.bihuan/run` that only the owner of the platform can open.

One request and one answer per connection, each a line of JSON: `{"action": "restart", "process": "intake"}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from bihuanctl.refusal import Refusal

# Restarting waits until the process is healthy again.
PATIENCE = 180.0

log = structlog.get_logger(__name__)

Handler = Callable[[str, str], Awaitable[dict[str, Any]]]


@contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """`path` in a form short enough for a socket address (108 bytes), however deep the home lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def listen(path: Path, handle: Handler) -> asyncio.Server:
    """Serves `handle(action, process)`, which may raise Refusal."""
    ear = _bound(path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            try:
                response = await handle(request["action"], request["process"])
            except Refusal as refusal:
                response = {"refused": refusal.code, "params": refusal.params}
            writer.write(json.dumps(response).encode() + b"\n")
            await writer.drain()
        except (ValueError, KeyError, TypeError, ConnectionError) as wrong:
            log.warning("control_request_unreadable", error=repr(wrong))
        finally:
            writer.close()

    return await asyncio.start_unix_server(answer, sock=ear)


def _bound(path: Path) -> socket.socket:
    """A socket at `path`, in place of one that a killed supervisor left."""
    path.unlink(missing_ok=True)
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _reachable(path) as short:
        ear.bind(short)
    path.chmod(0o600)
    return ear


def ask(path: Path, action: str, process: str) -> dict[str, Any]:
    """Asks the supervisor that listens on `path`. Raises Refusal: its own, or `not_running`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mouth, _reachable(path) as short:
            mouth.settimeout(PATIENCE)
            mouth.connect(short)
            mouth.sendall(json.dumps({"action": action, "process": process}).encode() + b"\n")
            with mouth.makefile("r", encoding="utf-8") as lines:
                line = lines.readline()
    except (FileNotFoundError, ConnectionError):
        raise Refusal("not_running") from None
    except TimeoutError:
        raise Refusal("supervisor_silent") from None
    if not line:
        raise Refusal("not_running")
    response: dict[str, Any] = json.loads(line)
    if "refused" in response:
        raise Refusal(response["refused"], **response["params"])
    return response
