"""How the platform fares, for whoever is looking: a terminal, or the command that started it in the background."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final, Literal

# Begins the name of the step that brings a service's database up to date.
DATABASE_OF: Final = "database_"

StepCondition = Literal["begun", "done", "failed"]


@dataclass(frozen=True)
class Progress:
    """A step of the start, or a process, began or ended. `step` names it, below `step.` in texts.yaml.

    A process that was `done`, which means healthy, is `failed` when it dies later.
    """

    step: str
    condition: StepCondition
    # How long it took; 0 when it began.
    seconds: float = 0.0
    # Why it failed.
    reason: str = ""

    def to_line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


Report = Callable[[Progress], None]


@asynccontextmanager
async def step(report: Report, name: str) -> AsyncIterator[None]:
    """Reports the begin and the end of what happens inside."""
    begun = monotonic()
    report(Progress(name, "begun"))
    try:
        yield
    except Exception as error:
        report(Progress(name, "failed", monotonic() - begun, str(error) or repr(error)))
        raise
    report(Progress(name, "done", monotonic() - begun))
