"""Who goes first when the processors are busy: what people wait for, before what follows from it.

See docs/decisions/0012-who-goes-first.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Final

# Services that read about every event for figures and feeds. Nobody waits for them, and the bus keeps what they have
# not read yet.
GIVING_WAY: Final = frozenset({"partners", "quality"})
# With everybody busy, about a third of another process's share. It counts towards other programs on the machine too, so
# that much more of it would bring figures and feeds to a halt beside a busy neighbour.
NICENESS: Final = 5
# Of anybody but root, Linux takes one such wish in a tenth of a second.
_AGAIN_SECONDS: Final = 0.1


async def give_way(pid: int) -> None:
    """Lets the session of `pid` have the processors after others, where the system allows it and it has not ended."""
    # Nobody is worse off than without it, so a system that refuses is not worth a start.
    with contextlib.suppress(OSError):
        # Never back towards the front, where somebody has put the whole platform behind other work.
        os.setpriority(os.PRIO_PROCESS, pid, max(NICENESS, os.getpriority(os.PRIO_PROCESS, pid)))
    # Where Linux shares the processors among sessions first (autogroups), niceness counts only within one, and a
    # program of ours is a session of its own.
    while True:
        try:
            return _write(f"/proc/{pid}/autogroup", str(NICENESS))
        except BlockingIOError:
            await asyncio.sleep(_AGAIN_SECONDS)
        except OSError:
            # It has ended, or this system knows nothing of the kind.
            return None


def _write(path: str, text: str) -> None:
    # Without a buffer, which would hide that the kernel wants to be asked again.
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
