"""Reading alerts, and what complaints tells of their improvements (QLT-03, QLT-05)."""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import select

from quality.alerts.alert import Alert
from quality.alerts.tables import ALERTS


async def find_alert(tx: UnitOfWork, alert_id: str, principal: Principal) -> Alert:
    """Raises Fault alert_unknown or domain_forbidden."""
    row = (await tx.execute(select(ALERTS).where(ALERTS.c.alert_id == UUID(alert_id)))).mappings().one_or_none()
    if row is None:
        raise Fault("alert_unknown")
    alert = Alert.model_validate(dict(row))
    principal.require_region(alert.region)
    return alert


async def list_alerts(
    tx: UnitOfWork,
    principal: Principal,
    *,
    only_open: bool,
    indicator: str,
    region: str,
    before: UUID | None,
    limit: int,
) -> list[Alert]:
    """Of the caller's domain, newest first; empty filters let everything through."""
    conditions = [lies_in(ALERTS.c.region, principal.domain)]
    if only_open:
        conditions.append(ALERTS.c.cleared_at.is_(None))
    if indicator:
        conditions.append(ALERTS.c.indicator == indicator)
    if region:
        conditions.append(lies_in(ALERTS.c.region, region))
    if before is not None:
        conditions.append(ALERTS.c.alert_id < before)
    statement = select(ALERTS).where(*conditions).order_by(ALERTS.c.alert_id.desc()).limit(limit)
    return [Alert.model_validate(dict(row)) for row in (await tx.execute(statement)).mappings()]
