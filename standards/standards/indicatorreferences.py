"""What indicators can get wrong about the names they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from standards.documents import Place
from standards.indicators import Formula, Indicator
from standards.verdicts import bounds_of

if TYPE_CHECKING:
    from standards.standard_set import Contents

Problem = tuple[str, Place, str]
FILE = "indicators"


def find_broken_indicators(contents: Contents) -> Iterator[Problem]:
    """Yields (file, place in it, reason) for every name that points nowhere, and for levels that make no sense."""
    file = contents.indicators
    for name, dimension in file.dimensions.items():
        for fact in dimension.facts:
            yield from _fact(contents, ("dimensions", name, "facts"), fact)
    for name, indicator in file.indicators.items():
        place: Place = ("indicators", name)
        yield from _formula(contents, (*place, "formula"), indicator.formula)
        if indicator.owner not in file.owners:
            yield FILE, (*place, "owner"), f"unknown owner {indicator.owner}"
        for dimension_name in indicator.dimensions:
            if dimension_name not in file.dimensions:
                yield FILE, (*place, "dimensions"), f"unknown dimension {dimension_name}"
        yield from _levels(contents, (*place, "levels"), indicator)


def _formula(contents: Contents, place: Place, formula: Formula) -> Iterator[Problem]:
    for mark in sorted(formula.marks - contents.indicators.marks.keys()):
        yield FILE, place, f"unknown mark {mark}"
    for fact in formula.facts:
        yield from _fact(contents, place, fact)
    for clock in sorted(formula.clocks - contents.clocks.clocks.keys()):
        yield FILE, place, f"unknown clock {clock}"


def _fact(contents: Contents, place: Place, fact: str) -> Iterator[Problem]:
    mark, _, name = fact.partition(".")
    known = contents.indicators.marks.get(mark)
    if known is None or name not in known.keeps:
        yield FILE, place, f"unknown fact {fact}"


def _levels(contents: Contents, place: Place, indicator: Indicator) -> Iterator[Problem]:
    levels, targets = indicator.levels, contents.targets.targets
    if levels is None:
        return
    if levels.target is not None and levels.target not in targets:
        yield FILE, (*place, "target"), f"unknown target {levels.target}"
        return
    try:
        bounds_of(indicator, targets)
    except ValueError as wrong:
        yield FILE, place, str(wrong)
