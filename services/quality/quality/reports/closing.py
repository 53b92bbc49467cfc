"""The end of a period: a clock on platform time, and the reports that are then made (QLT-08)."""

from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from sqlalchemy import select

from quality.alerts.watching import watch_ended
from quality.figures.periods import Period, period_at
from quality.reports.commands import make_report
from quality.reports.report import State
from quality.reports.tables import REPORTS
from servicekit import deadlines
from standards import Standards

CLOCK = "report_period"
GRACE = "report_closing"


async def await_period_end(tx: UnitOfWork, standards: Standards) -> None:
    """Has a clock running for the end of the current month; quarters and years end with one of theirs."""
    await _await_end(tx, standards, period_at("month", tx.now))


async def close_period(tx: UnitOfWork, standards: Standards, month: Period) -> None:
    """Judges and reports the month and what ends with it, and waits for the next month's end."""
    for kind in ("month", "quarter", "year"):
        period = period_at(kind, month.begins)
        if period.ends != month.ends:
            continue
        await watch_ended(tx, standards, period)
        if not await _is_published(tx, period):
            await make_report(tx, standards, period)
    await _await_end(tx, standards, period_at("month", month.ends))


async def _await_end(tx: UnitOfWork, standards: Standards, month: Period) -> None:
    # One that has just fired beside the clock of the month before counts too: it closes its month itself.
    clocks = (await deadlines.of(tx, [month.name]))[month.name]
    if not clocks:
        closes = month.ends + standards.windows[GRACE].length
        await deadlines.start(tx, [Start(CLOCK, month.name, due_at=closes)])


async def _is_published(tx: UnitOfWork, period: Period) -> bool:
    statement = select(REPORTS.c.state).where(REPORTS.c.period == period.name)
    return bool(await tx.scalar(statement) == State.PUBLISHED)
