"""How long `bihuan up` takes, from the call to every process being healthy."""

from __future__ import annotations

from statistics import median

from bench.figures import Figure, at_most
from bench.platform import Platform

GROUP = "startup"
WARM_STARTS = 3
LIMIT_SECONDS = 20


async def start_first(platform: Platform) -> list[Figure]:
    """The first start on an empty home: databases, keys and accounts are made. Leaves the platform running."""
    return [Figure(GROUP, "first start", await platform.up(), "s")]


async def measure_warm_starts(platform: Platform) -> list[Figure]:
    """Stops and starts the running platform several times. Leaves it running."""
    seconds = []
    for _ in range(WARM_STARTS):
        await platform.down()
        seconds.append(await platform.up())
    return [
        at_most(GROUP, f"warm start, median of {WARM_STARTS}", median(seconds), "s", LIMIT_SECONDS),
        Figure(GROUP, "warm start, slowest", max(seconds), "s"),
    ]
