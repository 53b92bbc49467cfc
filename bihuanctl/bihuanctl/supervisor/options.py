"""What `bihuan up` was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StartOptions:
    """How to start a platform."""

    # None: 8080 if it is free, else any free one. 0: any free one.
    port: int | None = None
    clock_adjustable: bool = False
