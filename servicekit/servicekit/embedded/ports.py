"""Free TCP ports on this machine, for processes that are started here."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

# Below Linux' ephemeral range (from 32768): nobody's outgoing connection can take such a port while its owner restarts.
LOWEST, HIGHEST = 15_000, 32_000
ATTEMPTS = 200
LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody could listen on it now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports() -> Iterator[int]:
    """Different free ports, as many as asked for. Raises OSError when the machine has none left."""
    given: set[int] = set()
    while True:
        port = _free_port(given)
        given.add(port)
        yield port


def _free_port(taken: set[int]) -> int:
    for _ in range(ATTEMPTS):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 (not a secret)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")
