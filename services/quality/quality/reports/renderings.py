"""A report as a page to read and print, and as a table for spreadsheets (QLT-08)."""

import csv
import io
from collections import Counter
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from servicekit.languages import Language
from servicekit.moments import TIME_FORMAT, local

from quality.figures.values import Verdict
from quality.reports.report import Line, Report
from quality.reports.words import MARKS, Words
from standards import Standards

COLUMNS = (
    "indicator",
    "name",
    "definition",
    "value",
    "unit",
    "sample",
    "target",
    "verdict",
    "clauses",
    "owner",
    "standards",
    "failing",
)


def render_page(report: Report, standards: Standards, language: Language) -> str:
    """One page of HTML, whole in itself: no script, nothing from elsewhere."""
    words = Words(language)
    region = standards.regions.get(report.region)
    return _template().render(
        language=language,
        report=report,
        word=words,
        shown=words.value,
        target=words.target,
        mark=lambda verdict: MARKS[Verdict(verdict)],
        region=region.label[language] if region else report.region,
        state=words.state(report),
        made_at=local(report.made_at, TIME_FORMAT),
        summary=_summary(report.content),
        groups=_groups(report.content, language),
    )


def render_table(report: Report, language: Language) -> str:
    """CSV after RFC 4180, one line a figure."""
    words = Words(language)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([words(column) for column in COLUMNS])
    for line in report.content:
        writer.writerow(
            [
                line.indicator,
                line.label[language],
                line.definition[language],
                "" if line.value is None else words.number(line.value),
                words(line.unit),
                line.sample,
                words.target(line),
                words(line.verdict),
                " ".join(line.clauses),
                line.owner[language],
                report.standards_version,
                " ".join(line.failing),
            ]
        )
    return text.getvalue()


def _summary(lines: list[Line]) -> list[tuple[Verdict, int]]:
    """How many of each verdict, the worst first."""
    counts = Counter(line.verdict for line in lines)
    order = (Verdict.BREACHED, Verdict.NEAR, Verdict.KEPT, Verdict.NO_DATA, Verdict.OBSERVED)
    return [(verdict, counts[verdict]) for verdict in order if counts[verdict]]


def _groups(lines: list[Line], language: Language) -> list[tuple[str, list[Line]]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.owner[language], []).append(line)
    return list(groups.items())


@cache
def _template() -> Template:
    loader = PackageLoader("quality.reports", "data")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("page.html.jinja")
