"""What reports say, in the reader's language."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from servicekit.documents import packaged
from servicekit.languages import Language
from servicekit.moments import CHINA_TIME

from quality.figures.values import Verdict
from quality.reports.report import Line, Report, State

# Told by shape too: colours don't survive a printer, and not everybody sees them.
MARKS: Mapping[Verdict, str] = {
    Verdict.KEPT: "✔",
    Verdict.NEAR: "▲",
    Verdict.BREACHED: "✘",
    Verdict.NO_DATA: "○",
    Verdict.OBSERVED: "◦",
    Verdict.NOT_MEASURED: "—",
}


class Words:
    """The texts of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **places: object) -> str:
        return _catalogue()[key][self.language].format(**places)

    def number(self, value: Decimal | None) -> str:
        """Without zeros at its end."""
        return self("none") if value is None else f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"

    def value(self, line: Line) -> str:
        if line.value is None:
            return self("none")
        return f"{self.number(line.value)} {self(line.unit)}".strip()

    def target(self, line: Line) -> str:
        if line.breach is None:
            return self("none")
        return self(line.direction, level=f"{self.number(line.breach)} {self(line.unit)}".strip())

    def state(self, report: Report) -> str:
        at = f"{report.published_at.astimezone(CHINA_TIME):%Y-%m-%d}" if report.published_at else ""
        return self(State(report.state), at=at, by=report.published_by)


@cache
def _catalogue() -> Mapping[str, Mapping[Language, str]]:
    texts: Mapping[str, Mapping[Language, str]] = packaged("quality.reports", "data", "words.yaml")
    return texts
