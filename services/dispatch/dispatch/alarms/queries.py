"""Reading alarms."""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import select

from dispatch.alarms.alarm import Alarm
from dispatch.alarms.tables import ALARMS


async def get_alarm(tx: UnitOfWork, alarm_id: UUID, principal: Principal) -> Alarm:
    """Raises Fault alarm_unknown or domain_forbidden."""
    row = (await tx.execute(select(ALARMS).where(ALARMS.c.alarm_id == alarm_id))).one_or_none()
    if row is None:
        raise Fault("alarm_unknown")
    alarm = Alarm.model_validate(row._asdict())
    principal.require_region(alarm.region)
    return alarm


async def list_alarms(
    tx: UnitOfWork, principal: Principal, *, region: str, incident_id: UUID | None, before: UUID | None, limit: int
) -> list[Alarm]:
    """Newest first, by id."""
    columns = ALARMS.c
    conditions = [lies_in(columns.region, principal.domain)]
    if region:
        conditions.append(lies_in(columns.region, region))
    if incident_id is not None:
        conditions.append(columns.incident_id == incident_id)
    if before is not None:
        conditions.append(columns.alarm_id < before)
    statement = select(ALARMS).where(*conditions).order_by(columns.alarm_id.desc()).limit(limit)
    return [Alarm.model_validate(row._asdict()) for row in await tx.execute(statement)]
