"""What one sees while it plays: a bar for every stage of the loop, or plain lines where no terminal is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from servicekit.moments import SHORT_FORMAT, local

from bihuanctl.demo.figures import STAGES
from bihuanctl.demo.story import Story
from bihuanctl.session import Session
from standards import load

# Plain lines come at every so many percent of stories that are over.
PERCENT_PER_LINE = 10
_STAGE = "CASE_STAGE_"


class PlayDisplay:
    """Shows how the stories go on."""

    def __init__(self, session: Session, total: int, *, shown: bool) -> None:
        self._session = session
        self._shown = shown
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._total = total
        self._next_line = 0
        self._began_at: datetime | None = None
        if shown and session.console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                console=session.console,
                expand=True,
            )

    def watch(self, stories: Sequence[Story], now: datetime) -> None:
        """Takes in the state of the play after a round."""
        if not self._shown:
            return
        self._began_at = self._began_at or now
        stages = Counter(story.stage.removeprefix(_STAGE).lower() for story in stories if not story.joined)
        over = sum(story.is_over for story in stories)
        if self._bars is not None:
            self._update(stages, over, len(stories), now)
        elif over * 100 >= self._next_line * len(stories):
            self._next_line = over * 100 // len(stories) // PERCENT_PER_LINE * PERCENT_PER_LINE + PERCENT_PER_LINE
            self._print_line(stages, over, len(stories), now)

    def __enter__(self) -> PlayDisplay:
        if self._bars is not None:
            texts = self._session.texts
            self._tasks = {
                stage: self._bars.add_task(load().stages.cases[stage].label[texts.language], total=self._total, note="")
                for stage in STAGES
            }
            self._tasks["over"] = self._bars.add_task(f"[bold]{texts('demo.played')}", total=self._total, note="")
            self._bars.start()
        return self

    def tell(self, line: str) -> None:
        """A line about what comes after the play. The bars stay as they are."""
        self._stop()
        if self._shown:
            self._session.tell(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()

    def _update(self, stages: Counter[str], over: int, total: int, now: datetime) -> None:
        assert self._bars is not None
        for stage in STAGES:
            self._bars.update(self._tasks[stage], completed=stages[stage], total=total)
        self._bars.update(self._tasks["over"], completed=over, total=total, note=self._clock(now))

    def _print_line(self, stages: Counter[str], over: int, total: int, now: datetime) -> None:
        labels = load().stages.cases
        language = self._session.texts.language
        shown = " · ".join(f"{labels[stage].label[language]} {stages[stage]}" for stage in STAGES if stages[stage])
        self._session.say("demo.line", clock=self._clock(now), over=over, total=total, stages=shown)

    def _clock(self, now: datetime) -> str:
        assert self._began_at is not None
        day = (now - self._began_at).days + 1
        return self._session.texts("demo.clock", day=day, time=local(now, SHORT_FORMAT))
