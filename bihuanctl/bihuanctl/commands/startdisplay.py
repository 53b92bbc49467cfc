"""What a person sees while the platform starts, and when one of its processes dies later."""

from __future__ import annotations

from types import TracebackType

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bihuanctl.session import Session
from bihuanctl.supervisor.progress import DATABASE_OF, Progress
from bihuanctl.texts import Texts


class StartDisplay:
    """A growing list of steps, each with a spinner until it is done; plain lines once the start is over."""

    def __init__(self, session: Session, *, shown: bool) -> None:
        self._session = session
        self._shown = shown
        self._steps: dict[str, Progress] = {}
        self._live = Live(console=session.console, refresh_per_second=10, transient=False)
        self._starting = False
        self._started = False

    def report(self, progress: Progress) -> None:
        if not self._shown:
            return
        self._steps[progress.step] = progress
        if self._starting:
            self._live.update(self._table())
        elif self._started or progress.condition != "begun":
            self._session.console.print(self._line(progress), soft_wrap=True)

    def finish(self) -> None:
        """The start is over; what happens from now on is news."""
        if self._starting:
            self._live.stop()
            self._starting = False
        self._started = True

    def __enter__(self) -> StartDisplay:
        if self._shown and self._session.console.is_terminal:
            self._live.start()
            self._starting = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for progress in self._steps.values():
            mark = Spinner("dots") if progress.condition == "begun" else self._mark(progress)
            table.add_row(mark, self._name(progress), self._detail(progress))
        return table

    def _line(self, progress: Progress) -> Text:
        return Text(" ").join([self._mark(progress), self._name(progress), self._detail(progress)])

    def _mark(self, progress: Progress) -> Text:
        return {"begun": Text("…", "dim"), "done": Text("✔", "green"), "failed": Text("✘", "red")}[progress.condition]

    def _name(self, progress: Progress) -> Text:
        return Text(step_text(progress.step, self._session.texts))

    def _detail(self, progress: Progress) -> Text:
        if progress.condition == "failed":
            return Text(progress.reason.splitlines()[0] if progress.reason else "", "red")
        return Text(f"{progress.seconds:.1f} s" if progress.condition == "done" else "", "dim")


def step_text(step: str, texts: Texts) -> str:
    """What a step of the start is called."""
    service = step.removeprefix(DATABASE_OF)
    return texts("step.database", service=texts(f"step.{service}")) if service != step else texts(f"step.{step}")
