"""Making and publishing reports (QLT-08)."""

from bihuan.quality.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from standards.indicators import Indicator

from quality.figures.contributions import COUNTRY
from quality.figures.periods import Period
from quality.figures.queries import Figure, Scope, figures_of, list_contributions
from quality.figures.values import verdict_of
from quality.reports.queries import find_report
from quality.reports.report import Line, Report, State, publish, remake
from quality.reports.tables import REPORTS
from standards import Standards

REPORTED = frozenset({"month", "quarter", "year"})
# Of each figure as many ids are printed; the rest is asked for by drill-down.
MOST_FAILING = 5


async def make_report(tx: UnitOfWork, standards: Standards, period: Period) -> Report:
    """Makes a period's report, or makes it anew; of a period that is not over, an interim one.

    Raises Fault period_unreported for a day or week, period_ahead for one that has not begun, report_published.
    """
    if period.kind not in REPORTED:
        raise Fault("period_unreported", field="period", period=period.name)
    if period.begins > tx.now:
        raise Fault("period_ahead", field="period", period=period.name)
    statement = select(REPORTS).where(REPORTS.c.period == period.name).with_for_update()
    row = (await tx.execute(statement)).mappings().one_or_none()
    known = Report.model_validate(dict(row)) if row else None
    indicators = [each for each in standards.indicators.values() if period.kind in each.periods]
    scope = Scope(period)
    figures = {figure.indicator: figure for figure in await figures_of(tx, indicators, scope)}
    lines = [await _line(tx, standards, each, figures[each.name], scope) for each in indicators]
    fresh = Report(
        report_id=uuid7(),
        version=1,
        state=State.MADE if period.ends <= tx.now else State.INTERIM,
        period=period.name,
        region=COUNTRY,
        standards_version=standards.version,
        made_at=tx.now,
        lines=[line.model_dump(mode="json") for line in lines],
    )
    report = remake(known, fresh)
    await _save(tx, report)
    if report.state is State.MADE:
        event = events_pb2.ReportMade(
            report_id=str(report.report_id), period=report.period, standards_version=report.standards_version
        )
        tx.emit(event, version=report.version)
    return report


async def publish_report(tx: UnitOfWork, reference: str, principal: Principal, *, expected_version: int) -> Report:
    """Makes it final. Raises Fault report_unknown, stale_version, period_not_over, transition_forbidden."""
    known = await find_report(tx, reference, principal, lock=True)
    if expected_version not in {0, known.version}:
        raise Fault("stale_version", version=known.version)
    report = publish(known, tx.now, by=principal.user_id)
    await _save(tx, report)
    event = events_pb2.ReportPublished(
        report_id=str(report.report_id), period=report.period, published_by=report.published_by
    )
    tx.emit(event, version=report.version)
    return report


async def _line(tx: UnitOfWork, standards: Standards, indicator: Indicator, figure: Figure, scope: Scope) -> Line:
    bounds = standards.bounds(indicator.name)
    failing = await list_contributions(
        tx, standards, indicator, scope, only_failing=True, before=None, limit=MOST_FAILING
    )
    return Line(
        indicator=indicator.name,
        label=indicator.label,
        definition=indicator.definition,
        owner=standards.owners[indicator.owner].label,
        unit=indicator.unit,
        direction=indicator.direction or "",
        breach=bounds.breach if bounds else None,
        warning=bounds.warning if bounds else None,
        clauses=indicator.source.split(),
        requirement=indicator.requirement,
        subject=indicator.subject,
        sample=figure.sample,
        value=figure.value,
        verdict=verdict_of(bounds, figure.sample, figure.value),
        failing=[each.subject_id for each in failing],
    )


async def _save(tx: UnitOfWork, report: Report) -> None:
    values = report.model_dump()
    statement = insert(REPORTS).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=[REPORTS.c.report_id], set_=values))
