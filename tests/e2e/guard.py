"""Ends a platform when the test run that started it is gone, however it went: `bihuan up --detach` outlives its caller.

As a program it waits beside the run, on a pipe that the kernel closes when the run dies.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_ENDED_WELL = b"ended well"


@contextmanager
def guarded(root: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """While the block lasts, the platform of `environment` and its folder `root` end with this process.

    The block itself ends them when it ends.
    """
    command = [sys.executable, "-S", __file__, str(root)]
    # A session of its own: Ctrl-C is for the run, whose fixtures then stop the platform themselves.
    with subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.communicate(_ENDED_WELL)


def main() -> None:
    root = Path(sys.argv[1])
    if sys.stdin.buffer.read() != _ENDED_WELL:
        subprocess.run([sys.executable, "-m", "bihuanctl.main", "down"], check=False)
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
