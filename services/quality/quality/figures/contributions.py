"""What a subject contributes to each indicator, from all that is remembered of it (QLT-01, QLT-02). Pure.

Only the set of observations counts, never the order in which they came.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from standards.indicators import Formula, Indicator

from standards import Standards

# The mark of every missed clock, and the fact that names the clock.
CLOCK_MISSED, CLOCK = "clock_missed", "clock"
# What is not told of a region belongs to the whole country.
COUNTRY = "cn"
REGION = "region"
# Contributions are whole numbers of thousandths.
YES, NO, ONE = 1000, 0, 1000


@dataclass(frozen=True, slots=True)
class Observation:
    """One mark that an event left on the subject."""

    mark: str
    event_id: UUID
    occurred_at: datetime
    version: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contribution:
    indicator: str
    subject_id: str
    at: datetime
    # See ContributionRow.
    value: int
    region: str
    dimensions: Mapping[str, str]


class Subject:
    """Everything that is remembered of one case, work order, complaint …, in the order in which it happened."""

    def __init__(self, subject_id: str, observations: Iterable[Observation]) -> None:
        self.subject_id = subject_id
        in_order = sorted(set_of(observations), key=lambda each: (each.occurred_at, each.version, each.event_id))
        self._by_mark: dict[str, list[Observation]] = {}
        self._missed: dict[str, datetime] = {}
        for each in in_order:
            self._by_mark.setdefault(each.mark, []).append(each)
            if each.mark == CLOCK_MISSED:
                self._missed.setdefault(str(each.facts.get(CLOCK, "")), each.occurred_at)

    def bears(self, mark: str) -> bool:
        return mark in self._by_mark

    def of(self, mark: str) -> Sequence[Observation]:
        return self._by_mark.get(mark, ())

    def fact(self, name: str) -> Any:
        """The newest value of a fact such as `case_opened.region`, or None."""
        mark, _, fact = name.partition(".")
        return next((each.facts[fact] for each in reversed(self.of(mark)) if fact in each.facts), None)

    @property
    def has_missed(self) -> bool:
        """Whether any clock of it was."""
        return bool(self._missed)

    def first_miss(self, clocks: Iterable[str]) -> datetime | None:
        """When the first of the clocks was missed."""
        return min((self._missed[clock] for clock in clocks if clock in self._missed), default=None)


def set_of(observations: Iterable[Observation]) -> Iterable[Observation]:
    """Each observation once, however often it was told."""
    return {(each.event_id, each.mark): each for each in observations}.values()


def contributions_of(subject: Subject, standards: Standards) -> Iterator[Contribution]:
    """At most one for each indicator."""
    region = _dimension(subject, standards, REGION) or COUNTRY
    for indicator in standards.indicators.values():
        measured = _measure(subject, indicator.formula)
        if measured is not None:
            at, value = measured
            dimensions = _dimensions(subject, indicator, standards)
            yield Contribution(indicator.name, subject.subject_id, at, value, region, dimensions)


def _dimensions(subject: Subject, indicator: Indicator, standards: Standards) -> dict[str, str]:
    found = {name: _dimension(subject, standards, name) for name in indicator.dimensions if name != REGION}
    return {name: value for name, value in found.items() if value}


def _dimension(subject: Subject, standards: Standards, name: str) -> str:
    known = (subject.fact(fact) for fact in standards.dimensions[name].facts)
    return next((str(value) for value in known if value), "")


def _measure(subject: Subject, formula: Formula) -> tuple[datetime, int] | None:
    """When it counts, and how much; None where the indicator does not mean it."""
    if not (subject.bears(formula.counts) or subject.has_missed):
        return None  # at little cost: of a subject just come that is true of nearly all indicators
    counted = subject.of(formula.counts)
    missed = subject.first_miss(formula.clocks)
    reached = (counted[0 if formula.occurrence == "first" else -1].occurred_at) if counted else None
    moments = [moment for moment in (reached, missed) if moment is not None]
    if not moments or not _is_meant(subject, formula):
        return None
    at = min(moments)
    if formula.since is not None:
        return _duration(subject, formula.since, at)
    if formula.value is not None:
        taken = subject.fact(formula.value)
        return None if taken is None else (at, round(Decimal(str(taken)) * ONE))
    if formula.summary == "count":
        return at, ONE
    return at, YES if _holds(subject, formula) else NO


def _is_meant(subject: Subject, formula: Formula) -> bool:
    return (
        all(subject.fact(name) == value for name, value in formula.where.items())
        and not any(subject.fact(name) == value for name, value in formula.unless.items())
        and (formula.given is None or subject.fact(formula.given) is not None)
    )


def _holds(subject: Subject, formula: Formula) -> bool:
    return (
        subject.first_miss(formula.kept) is None
        and all(subject.bears(mark) for mark in formula.ever)
        and not any(subject.bears(mark) for mark in formula.never)
        and (formula.has is None or subject.fact(formula.has) is not None)
        and (formula.lacks is None or subject.fact(formula.lacks) is None)
        and all(subject.fact(name) == value for name, value in formula.equals.items())
        and all(_number(subject.fact(name)) >= level for name, level in formula.at_least.items())
    )


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _duration(subject: Subject, since: str, at: datetime) -> tuple[datetime, int] | None:
    """Thousandths of seconds from the last such mark before it; None while none is known."""
    begun = [each.occurred_at for each in subject.of(since) if each.occurred_at <= at]
    if not begun:
        return None
    elapsed = at - max(begun)
    microseconds = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    return at, microseconds // 1000
