"""Log files of the processes: each appends to its own, the supervisor keeps them from growing for ever.

A process writes by itself, not through a pipe of the supervisor's, so its last words outlive a killed supervisor.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

LARGEST = 20 * 1024 * 1024
OLD_FILES = 3


def rotate_large_logs(logs: Iterable[Path], *, largest: int = LARGEST) -> None:
    """Moves what a large log holds to `NAME.log.1` (and that to `.2` …) and empties it.

    The file itself stays, because its process holds it open. Lines written in the instant between copying and
    emptying are lost: the price of not restarting anybody.
    """
    for path in logs:
        if path.exists() and path.stat().st_size > largest:
            _rotate(path)


def _rotate(path: Path) -> None:
    for number in range(OLD_FILES - 1, 0, -1):
        older = Path(f"{path}.{number}")
        if older.exists():
            older.replace(f"{path}.{number + 1}")
    shutil.copyfile(path, f"{path}.1")
    os.truncate(path, 0)
