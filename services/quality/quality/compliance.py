"""Clause by clause: what the manuals ask, and what came of it (QLT-01, QLT-08). Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from servicekit.languages import Language
from standards.indicators import Indicator
from standards.models import Target
from standards.values import INTERNAL
from standards.verdicts import Bounds

from quality.figures.queries import Figure
from quality.figures.values import Verdict, verdict_of
from standards import Standards

_PART = re.compile(r"\d+|[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Row:
    """What one clause asks of one indicator; `indicator` is empty where nothing measures the target."""

    clause: str
    indicator: str
    label: str
    unit: str
    direction: str
    target: Decimal | None
    strictness: str
    value: Decimal | None
    sample: int
    verdict: Verdict


def rows_of(standards: Standards, figures: Mapping[str, Figure], clause: str, language: Language) -> list[Row]:
    """Every clause with a figure or a target, in order; with `clause` only that one and those below it."""
    rows = [*_measured(standards, figures, language), *_unmeasured(standards, language)]
    chosen = [row for row in rows if not clause or _lies_in(row.clause, clause)]
    return sorted(chosen, key=lambda row: (_order(row.clause), row.indicator, row.strictness))


def _measured(standards: Standards, figures: Mapping[str, Figure], language: Language) -> Iterator[Row]:
    for indicator in standards.indicators.values():
        figure = figures[indicator.name]
        target = standards.targets.get(indicator.levels.target or "") if indicator.levels else None
        asked = _asked_by_target(target) if target else _asked_by_itself(indicator, standards)
        for clause, level, strictness in asked:
            bounds = Bounds(indicator.direction, level, level) if level is not None and indicator.direction else None
            yield Row(
                clause,
                indicator.name,
                indicator.label[language],
                indicator.unit,
                indicator.direction or "",
                level,
                strictness,
                figure.value,
                figure.sample,
                verdict_of(bounds, figure.sample, figure.value),
            )


def _asked_by_target(target: Target) -> Iterator[tuple[str, Decimal | None, str]]:
    for figure in target.figures:
        for clause in figure.source.split():
            yield clause, figure.value, figure.strictness


def _asked_by_itself(indicator: Indicator, standards: Standards) -> Iterator[tuple[str, Decimal | None, str]]:
    bounds = standards.bounds(indicator.name)
    for clause in indicator.source.split():
        yield clause, bounds.breach if bounds else None, INTERNAL if bounds else ""


def _unmeasured(standards: Standards, language: Language) -> Iterator[Row]:
    measured = {indicator.levels.target for indicator in standards.indicators.values() if indicator.levels}
    for target in standards.targets.values():
        if target.name not in measured:
            for clause, level, strictness in _asked_by_target(target):
                yield Row(
                    clause,
                    "",
                    target.label[language],
                    target.unit,
                    target.direction,
                    level,
                    strictness,
                    None,
                    0,
                    Verdict.NOT_MEASURED,
                )


def _lies_in(clause: str, wanted: str) -> bool:
    parts, asked = _PART.findall(clause), _PART.findall(wanted)
    return parts[: len(asked)] == asked


def _order(clause: str) -> list[tuple[bool, int, str]]:
    """A2.10 after A2.9."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _PART.findall(clause)]
