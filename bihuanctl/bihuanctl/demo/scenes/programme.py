"""Plays the scenes one after the other; one that fails does not keep the others from being seen."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bihuanctl.demo.gateway import Refused
from bihuanctl.demo.scenes.stage import SceneFailed, Stage
from bihuanctl.refusal import Refusal

Scene = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class ScenePlayed:
    """One scene, as it went."""

    name: str
    title: str
    # What was told, line by line.
    told: tuple[str, ...]
    seconds: float
    # What the platform refused or did not do; empty when the scene came to its end.
    trouble: str = ""


async def play_scenes(
    scenes: Mapping[str, Scene], set_stage: Callable[[str], Stage], tell: Callable[[str], None]
) -> list[ScenePlayed]:
    """How each went. `set_stage` gives the stage of a scene by its name; `tell` shows a line to whoever watches.

    Between two scenes everything that is on its way arrives.
    """
    played = []
    for name, play in scenes.items():
        stage = set_stage(name)
        title, begun, trouble = stage.line("title"), time.monotonic(), ""
        tell(f"▸ {title}")
        try:
            await play(stage)
            await stage.pace.settle()
        except (Refused, Refusal, SceneFailed) as failure:
            trouble = failure.detail(stage.session.texts) if isinstance(failure, Refusal) else str(failure)
            tell(f"  ✘ {trouble}")
        played.append(ScenePlayed(name, title, tuple(stage.told), time.monotonic() - begun, trouble))
    return played
