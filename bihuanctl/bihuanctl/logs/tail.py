"""The ends of several growing files, and what is added to them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

POLL_SECONDS = 0.2

Named = tuple[str, str]


def last_lines(files: Mapping[str, Path], count: int) -> Iterator[Named]:
    """The last `count` lines of each file with its name."""
    for name, path in files.items():
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in deque(file, maxlen=count):
                yield name, line


def follow(files: Mapping[str, Path], count: int) -> Iterator[Named]:
    """The last lines, then every line that is added, for ever. A file that was emptied is read from its start."""
    opened: dict[str, TextIO] = {}
    try:
        for name, path in files.items():
            opened[name] = path.open(encoding="utf-8", errors="replace")
            for line in deque(opened[name], maxlen=count):
                yield name, line
        while True:
            quiet = True
            for name, file in opened.items():
                for line in _added(file):
                    quiet = False
                    yield name, line
            if quiet:
                time.sleep(POLL_SECONDS)
    finally:
        for file in opened.values():
            file.close()


def _added(file: TextIO) -> Iterator[str]:
    if os.fstat(file.fileno()).st_size < file.tell():
        file.seek(0)
    while True:
        position = file.tell()
        line = file.readline()
        if not line.endswith("\n"):  # half written: come back when the rest is there
            file.seek(position)
            return
        yield line
