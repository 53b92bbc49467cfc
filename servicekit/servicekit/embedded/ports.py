"""Free TCP ports on this machine, for processes that are started here."""

from __future__ import annotations

import random
import socket
import sys
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
    """Different free ports, as many as asked for. Raises OSError when the machine has none left.

    They are kept from whoever else chooses here as long as this process lives: two platforms that start at the same
    moment get different ones, and a process that is away finds its own again.
    """
    while True:
        yield _free_port()


def claim(port: int) -> bool:
    """Takes the port for the life of this process from all who choose theirs here; False when somebody has it.

    Nothing listens yet, often for seconds, and the kernel lends a port that nobody listens on to everybody who asks.
    Other systems than Linux don't know such names, and there it is left to luck.
    """
    if sys.platform != "linux":
        return True
    token = socket.socket(socket.AF_UNIX)
    try:
        # A name without a file, which ends with the process that has it.
        token.bind(f"\0bihuan-port-{port}")
    except OSError:
        token.close()
        return False
    token.detach()
    return True


def _free_port() -> int:
    for _ in range(ATTEMPTS):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 (not a secret)
        if is_free(port) and claim(port):
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")
