"""What every measurement comes back with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Of the processor time of all: processes that took less only kept themselves alive.
LEAST_SHARE: Final = 0.02


@dataclass(frozen=True)
class Figure:
    """One measured figure."""

    # `creations`, `latency` …: what `--only` takes.
    group: str
    name: str
    value: float
    # `/s`, `ms`, `s`, `MiB`, or empty for a count.
    unit: str
    # The value as a share of the floor at the same concurrency; only where that means something.
    of_floor: float | None = None
    # What was asked for, such as `≤ 200 ms`; empty where nothing was.
    target: str = ""
    reached: bool | None = None


def at_most(group: str, name: str, value: float, unit: str, limit: float) -> Figure:
    """A figure that should not exceed `limit`."""
    return Figure(group, name, value, unit, target=f"≤ {limit:g} {unit}".strip(), reached=value <= limit)


def clients_text(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them don't exceed. Raises IndexError without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def processor_times(
    group: str, work: str, before: Mapping[str, float], after: Mapping[str, float], pieces: int
) -> list[Figure]:
    """What each process spent on one of the `pieces` of work, and all together; those that took no part are left out.

    Unlike rates and waits this hardly depends on what else the machine is doing.
    """
    spent = {name: (after[name] - before.get(name, 0.0)) * 1000 / pieces for name in after}
    total = sum(spent.values())
    taking_part = sorted((name for name in spent if spent[name] > total * LEAST_SHARE), key=lambda name: -spent[name])
    return [
        Figure(group, f"processor time a {work}", total, "ms"),
        *(Figure(group, f"processor time a {work}: {name}", spent[name], "ms") for name in taking_part),
    ]
