"""Memory of the whole platform at rest: every process, PostgreSQL and NATS among them."""

from __future__ import annotations

import psutil  # type: ignore[import-untyped]

from bench.figures import Figure, at_most
from bench.platform import Platform

GROUP = "footprint"
LIMIT_MIB = 1200
_MIB = 2**20


async def measure_footprint(platform: Platform, when: str) -> list[Figure]:
    """`when` says what went before, such as `after start`.

    PSS shares out pages that several processes use, so its sum is what the platform really takes; USS is what would be
    free again if a process ended.
    """
    await platform.until_quiet()
    proportional, unique, processes = 0, 0, 0
    for process in platform.processes():
        try:
            memory = process.memory_full_info()
        except psutil.NoSuchProcess:  # a database connection that was just closed
            continue
        proportional += memory.pss
        unique += memory.uss
        processes += 1
    return [
        Figure(GROUP, f"{when}: processes", processes, ""),
        at_most(GROUP, f"{when}: memory (PSS)", proportional / _MIB, "MiB", LIMIT_MIB),
        Figure(GROUP, f"{when}: memory of their own (USS)", unique / _MIB, "MiB"),
    ]
