"""What an embedded server keeps from one start to the next: its ports and its secrets."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from servicekit.embedded.ports import is_free


def choose_port(wanted: int, remembered: Path) -> int:
    """The wanted port unless it is 0, else the one written in `remembered` if it is free, else any free one."""
    if wanted:
        return wanted
    if (port := read_number(remembered)) and is_free(port):
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_number(path: Path) -> int | None:
    """The number that the file begins with; None without one: a power cut can leave a file empty."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def write_private(path: Path, text: str, *, uid: int | None = None) -> None:
    """Write `text` to a new file that only its owner can read, complete or not at all; `uid` makes it that user's."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if uid is not None:
        os.chown(unfinished, uid, uid)
    unfinished.replace(path)
