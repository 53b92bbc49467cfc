"""Reading reports (QLT-08)."""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import ColumnElement, select

from quality.figures.contributions import COUNTRY
from quality.reports.report import Report, State, without_cases
from quality.reports.tables import REPORTS


async def find_report(tx: UnitOfWork, reference: str, principal: Principal, *, lock: bool = False) -> Report:
    """By report id or period. What is not published is for those who may see all it is about.

    Raises Fault report_unknown or domain_forbidden.
    """
    statement = select(REPORTS).where(_names(reference))
    row = (await tx.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if row is None:
        raise Fault("report_unknown", report=reference)
    report = Report.model_validate(dict(row))
    if report.state is not State.PUBLISHED:
        principal.require_region(report.region)
    return report


async def read_report(tx: UnitOfWork, reference: str, principal: Principal) -> Report:
    """As `find_report`, for the caller's eyes: cases are named only to those who may see everywhere it is about."""
    report = await find_report(tx, reference, principal)
    return report if principal.may_see(report.region) else without_cases(report)


async def list_reports(tx: UnitOfWork, principal: Principal, *, before: UUID | None, limit: int) -> list[Report]:
    """Newest first; unpublished ones only for those who may see all they are about."""
    conditions = [] if principal.may_see(COUNTRY) else [REPORTS.c.state == State.PUBLISHED]
    if before is not None:
        conditions.append(REPORTS.c.report_id < before)
    statement = select(REPORTS).where(*conditions).order_by(REPORTS.c.report_id.desc()).limit(limit)
    return [Report.model_validate(dict(row)) for row in (await tx.execute(statement)).mappings()]


def _names(reference: str) -> ColumnElement[bool]:
    columns = REPORTS.c
    try:
        matches: ColumnElement[bool] = columns.report_id == UUID(reference)
    except ValueError:
        matches = columns.period == reference
    return matches
