"""Python's garbage collector in a process that serves for long."""

import gc
from typing import Final

# New objects beyond those that have ended since the last look, before the next. CPython looks after 700: as many as a
# few requests hold while they wait for the database, so that each look goes through what is in use, and finds nothing.
MOST_NEW_OBJECTS: Final = 10_000


def collect_rarely() -> None:
    """To be called when everything is built that lives as long as the process.

    That is left out of every collection from now on: looking through it again and again would hold up calls for long
    moments. What calls leave behind is nearly always freed without the collector, which looks for circles only.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(MOST_NEW_OBJECTS, *gc.get_threshold()[1:])
