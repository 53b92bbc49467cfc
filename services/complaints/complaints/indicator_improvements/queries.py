"""Reading improvements that alerts found."""

from uuid import UUID

from bihuan.complaints.v1 import improvements_pb2
from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import select

from complaints.improvements import ImprovementState, improvement_message
from complaints.indicator_improvements.tables import INDICATOR_IMPROVEMENTS, IndicatorImprovementRow

COLUMNS = INDICATOR_IMPROVEMENTS.c


async def find_improvement(
    tx: UnitOfWork, improvement_id: str, principal: Principal, *, lock: bool = False
) -> IndicatorImprovementRow:
    """Raises Fault improvement_unknown or domain_forbidden."""
    statement = select(INDICATOR_IMPROVEMENTS).where(COLUMNS.improvement_id == UUID(improvement_id))
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        raise Fault("improvement_unknown")
    improvement = IndicatorImprovementRow(**row._asdict())
    principal.require_region(improvement.region)
    return improvement


async def list_improvements(
    tx: UnitOfWork,
    principal: Principal,
    *,
    state: ImprovementState | None,
    region: str,
    before: UUID | None,
    limit: int,
) -> list[IndicatorImprovementRow]:
    """Of the caller's domain, newest first; empty filters let everything through."""
    conditions = [lies_in(COLUMNS.region, principal.domain)]
    if state is not None:
        conditions.append(COLUMNS.state == state)
    if region:
        conditions.append(lies_in(COLUMNS.region, region))
    if before is not None:
        conditions.append(COLUMNS.improvement_id < before)
    statement = select(INDICATOR_IMPROVEMENTS).where(*conditions).order_by(COLUMNS.improvement_id.desc()).limit(limit)
    return [IndicatorImprovementRow(**row._asdict()) for row in await tx.execute(statement)]


async def improvement_facts(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    """For the loop check, by the alerts' ids: quality must know the same of each."""
    statement = (
        select(COLUMNS.alert_id, COLUMNS.state, COLUMNS.version)
        .where(COLUMNS.alert_id > after)
        .order_by(COLUMNS.alert_id)
        .limit(limit)
    )
    return [
        EntityFact(entity="alert_improvement", entity_id=str(row.alert_id), state=row.state, version=row.version)
        for row in await tx.execute(statement)
    ]


def indicator_improvement_message(improvement: IndicatorImprovementRow) -> improvements_pb2.IndicatorImprovement:
    return improvements_pb2.IndicatorImprovement(
        improvement_id=str(improvement.improvement_id),
        version=improvement.version,
        alert_id=str(improvement.alert_id),
        region=improvement.region,
        improvement=improvement_message(improvement),
    )
