"""What every measurement comes back with."""

from __future__ import annotations

from dataclasses import dataclass


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
