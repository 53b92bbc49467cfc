"""What the contributions of a period come to, and which they are (QLT-02, QLT-08)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select
from standards.indicators import Indicator

from quality.figures.contributions import COUNTRY, REGION
from quality.figures.periods import Period
from quality.figures.tables import CONTRIBUTIONS
from quality.figures.values import figure_of, threshold_of
from quality.observations.tables import CHANGES, GENERATIONS, GenerationState
from standards import Standards

_LIVE = select(GENERATIONS.c.generation).where(GENERATIONS.c.state == GenerationState.LIVE).scalar_subquery()

_SAMPLE = func.count().label("sample")
_TOTAL = func.sum(CONTRIBUTIONS.c.value).label("total")


@dataclass(frozen=True, slots=True)
class Figure:
    """What an indicator comes to. `group`: value of the dimension that it is told apart by."""

    indicator: str
    group: str
    sample: int
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which contributions are meant."""

    period: Period
    region: str = COUNTRY

    @property
    def condition(self) -> ColumnElement[bool]:
        columns = CONTRIBUTIONS.c
        return and_(
            columns.generation == _LIVE,
            columns.at >= self.period.begins,
            columns.at < self.period.ends,
            lies_in(columns.region, self.region),
        )


@dataclass(frozen=True, slots=True)
class Contributed:
    """One row of the drill-down; `value` in the indicator's unit."""

    subject_id: str
    at: datetime
    value: Decimal
    region: str
    dimensions: Mapping[str, str]


def scope_for(principal: Principal, standards: Standards, period: Period, region: str) -> Scope:
    """The region asked for, or the caller's own. Raises Fault region_unknown or domain_forbidden."""
    wanted = region or principal.domain
    if wanted not in standards.regions:
        raise Fault("region_unknown", field="region", region=wanted)
    principal.require_region(wanted)
    return Scope(period, wanted)


def find_indicator(standards: Standards, name: str) -> Indicator:
    """Raises Fault indicator_unknown."""
    indicator = standards.indicators.get(name)
    if indicator is None:
        raise Fault("indicator_unknown", field="indicator", indicator=name)
    return indicator


async def figures_of(tx: UnitOfWork, indicators: Sequence[Indicator], scope: Scope, group_by: str = "") -> list[Figure]:
    """The figures, in the order of the indicators and then of the groups; one without contributions has no value.

    Raises Fault dimension_unknown for one that the only indicator does not have.
    """
    if group_by and any(group_by not in indicator.dimensions for indicator in indicators):
        raise Fault("dimension_unknown", field="group_by", dimension=group_by)
    found = await _summarise(tx, indicators, scope, _group(group_by))
    figures = []
    for indicator in indicators:
        groups = sorted(group for name, group in found if name == indicator.name)
        for group in groups or [""]:
            sample, total = found.get((indicator.name, group), (0, 0))
            figures.append(Figure(indicator.name, group, sample, figure_of(indicator, sample, total)))
    return figures


async def totals_by_region(
    tx: UnitOfWork, indicators: Sequence[str], scope: Scope
) -> dict[str, dict[str, tuple[int, int]]]:
    """Sample and total by indicator and region; those of regions add up, except for percentiles."""
    columns = CONTRIBUTIONS.c
    statement = (
        select(columns.indicator, columns.region, _SAMPLE, _TOTAL)
        .where(scope.condition, columns.indicator.in_(indicators))
        .group_by(columns.indicator, columns.region)
    )
    totals: dict[str, dict[str, tuple[int, int]]] = {}
    for row in await tx.execute(statement):
        totals.setdefault(row.indicator, {})[row.region] = (row.sample, int(row.total))
    return totals


async def count_waiting(tx: UnitOfWork) -> int:
    """Of how many subjects more is known than is in the figures yet."""
    waiting = select(func.count(func.distinct(CHANGES.c.subject_id))).where(CHANGES.c.generation == _LIVE)
    return int(await tx.scalar(waiting))


async def list_contributions(
    tx: UnitOfWork,
    standards: Standards,
    indicator: Indicator,
    scope: Scope,
    *,
    only_failing: bool,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Contributed]:
    """Newest first; with `only_failing` those that are worse than what is asked."""
    columns = CONTRIBUTIONS.c
    conditions = [scope.condition, columns.indicator == indicator.name]
    if only_failing:
        conditions.append(_fails(indicator, standards))
    if before is not None:
        at, subject_id = before
        conditions.append(or_(columns.at < at, and_(columns.at == at, columns.subject_id < subject_id)))
    statement = (
        select(CONTRIBUTIONS).where(*conditions).order_by(columns.at.desc(), columns.subject_id.desc()).limit(limit)
    )
    return [
        Contributed(
            row.subject_id,
            row.at,
            figure_of(indicator, 1, row.value) or Decimal(),
            row.region,
            row.dimensions,
        )
        for row in await tx.execute(statement)
    ]


async def _summarise(
    tx: UnitOfWork, indicators: Sequence[Indicator], scope: Scope, group: ColumnElement[str]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Sample and total by indicator and group; for a percentile its value stands for the total of one."""
    columns = CONTRIBUTIONS.c
    added = [each.name for each in indicators if each.formula.percentile is None]
    statement = (
        select(columns.indicator, group.label("grouped"), _SAMPLE, _TOTAL)
        .where(scope.condition, columns.indicator.in_(added))
        .group_by(columns.indicator, "grouped")
    )
    found = {(row.indicator, row.grouped): (row.sample, int(row.total)) for row in await tx.execute(statement)}
    for indicator in indicators:
        if indicator.formula.percentile is not None:
            share = indicator.formula.percentile / 100
            reached = func.percentile_disc(share).within_group(columns.value).label("reached")
            ranked = (
                select(group.label("grouped"), _SAMPLE, reached)
                .where(scope.condition, columns.indicator == indicator.name)
                .group_by("grouped")
            )
            for row in await tx.execute(ranked):
                found[indicator.name, row.grouped] = (row.sample, int(row.reached) * row.sample)
    return found


def _group(dimension: str) -> ColumnElement[str]:
    if not dimension:
        return literal("")
    columns = CONTRIBUTIONS.c
    named: ColumnElement[str] = columns.region if dimension == REGION else columns.dimensions[dimension].astext
    return func.coalesce(named, "")


def _fails(indicator: Indicator, standards: Standards) -> ColumnElement[bool]:
    threshold = threshold_of(indicator, standards)
    if threshold is None:
        return false()
    value = CONTRIBUTIONS.c.value
    fails: ColumnElement[bool] = value < threshold if indicator.direction == "at_least" else value > threshold
    return fails
