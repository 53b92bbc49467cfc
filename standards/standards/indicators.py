"""The shape of indicators as data: what is heard, how a figure is formed from it, and what it is judged by (QLT-01)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from standards.values import Entry, Name, Section, Strictness, Text, Texts, Value, Word

PeriodKind = Literal["day", "week", "month", "quarter", "year"]
PERIOD_KINDS: tuple[PeriodKind, ...] = get_args(PeriodKind)
Unit = Literal["percent", "second", "minute", "hour", "day", "score", "count"]
Direction = Literal["at_least", "at_most", "below"]

# A fact that a mark keeps: `case_opened.region`.
FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
FactValue = bool | str
FieldPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]

_CONDITIONS = ("kept", "ever", "never", "has", "lacks", "equals", "at_least")
_NUMBERS = ("since", "value")


class Mark(Entry):
    """What is remembered of an event: that it happened to its subject, when, and the facts worth keeping."""

    name: Name
    event: Text = Field(description="Full name of the contract's message.")
    subject: FieldPath = Field(description="Field of the event that holds the id of what it happened to.")
    keeps: Section[FieldPath] = Field({}, description="Fields of the event by the name they are kept under.")


class Dimension(Word):
    """What figures can be told apart by. Of several facts the first that is known counts."""

    facts: tuple[FactName, ...] = Field(min_length=1)


class Owner(Word):
    """Who answers for an indicator; `role` as in tokens."""

    role: Name


class Formula(Value):
    """How a figure is formed. Each subject contributes at most once, on the day of the mark `counts`.

    `where`, `unless` and `given` say which subjects are meant. Without a measure they are counted. The conditions
    `kept` to `at_least` must all hold of a subject, and the figure is the share of those of which they do; `since` (a
    mark) measures the time from there, `value` takes a fact, and the figure is their mean or a percentile.
    """

    counts: Name
    occurrence: Literal["first", "last"] = "first"
    or_missed: tuple[Name, ...] = Field((), description="Clocks whose miss counts the subject too.")
    where: Mapping[FactName, FactValue] = {}
    unless: Mapping[FactName, FactValue] = {}
    given: FactName | None = None

    kept: tuple[Name, ...] = Field((), description="Clocks that must not be missed; a miss counts the subject at once.")
    ever: tuple[Name, ...] = Field((), description="Marks that must be there.")
    never: tuple[Name, ...] = Field((), description="Marks that must not be there.")
    has: FactName | None = Field(None, description="A fact that must be given.")
    lacks: FactName | None = Field(None, description="A fact that must never be given.")
    equals: Mapping[FactName, FactValue] = {}
    at_least: Mapping[FactName, Decimal] = {}

    since: Name | None = None
    value: FactName | None = None
    summary: Literal["count", "share", "mean", "percentile"] = "share"
    percentile: int | None = Field(None, gt=0, lt=100)

    @model_validator(mode="after")
    def _measures_what_it_summarises(self) -> Formula:
        conditions = any(getattr(self, name) for name in _CONDITIONS)
        numbers = sum(getattr(self, name) is not None for name in _NUMBERS)
        if numbers + conditions > 1:
            raise ValueError("a formula has conditions, or measures since a mark, or takes a value")
        expected = "number" if numbers else "share" if conditions else "count"
        given = "number" if self.summary in ("mean", "percentile") else self.summary
        if given != expected:
            raise ValueError(f"the summary {self.summary} does not go with what is measured")
        if (self.summary == "percentile") != (self.percentile is not None):
            raise ValueError("a percentile, and no other summary, says which one")
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact that it reads."""
        single = (self.given, self.has, self.lacks, self.value)
        return (*self.where, *self.unless, *self.equals, *self.at_least, *(fact for fact in single if fact))

    @property
    def marks(self) -> frozenset[str]:
        """Every mark that it reads; missed clocks come besides."""
        since = (self.since,) if self.since else ()
        return frozenset(
            {self.counts, *self.ever, *self.never, *since, *(fact.partition(".")[0] for fact in self.facts)}
        )

    @property
    def clocks(self) -> frozenset[str]:
        """Clocks whose miss it reads."""
        return frozenset({*self.kept, *self.or_missed})


class Levels(Value):
    """From where on a figure is a breach, or near one. A strictness stands for the target's figure of it."""

    target: Name | None = None
    breach: Decimal | Strictness
    warning: Decimal | Strictness | None = None


class Watch(Value):
    """Where and over which period a breach raises an alert (QLT-03)."""

    period: PeriodKind
    regions: tuple[Literal["country", "province", "city", "district"], ...] = Field(min_length=1)


class Indicator(Word):
    """One figure of service quality. `definition` says in words what `formula` does."""

    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    definition: Texts
    subject: Literal["case", "appointment", "work_order", "complaint", "record", "assignment", "attempt", "certificate"]
    formula: Formula
    unit: Unit
    direction: Direction | None = Field(None, description="Absent where more is neither better nor worse.")
    levels: Levels | None = None
    watched: Watch | None = None
    owner: Name
    periods: tuple[PeriodKind, ...] = Field(PERIOD_KINDS, min_length=1)
    dimensions: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _is_judged_one_way(self) -> Indicator:
        if self.levels is not None and self.direction is None:
            raise ValueError("what is judged needs a direction")
        if self.watched is not None and self.levels is None:
            raise ValueError("only what has levels can be watched")
        if self.watched is not None and self.formula.summary == "percentile":
            raise ValueError("a percentile can't be watched: those of regions do not add up")
        if self.formula.summary == "share" and self.unit != "percent":
            raise ValueError("a share is told in percent")
        return self
