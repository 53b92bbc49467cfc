"""Reading destructions, and what may be destroyed."""

from datetime import datetime
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from records.files.queries import find_record
from records.files.tables import RECORDS
from records.log.queries import Inclusion, prove_entry
from records.policy import Policy, years_before
from records.retention.commands import find_destruction
from records.retention.destruction import Destruction, State
from records.retention.tables import DESTRUCTIONS, HOLDS


async def get_destruction(tx: UnitOfWork, destruction_id: UUID, principal: Principal) -> Destruction:
    """Raises Fault destruction_unknown or domain_forbidden."""
    destruction = await find_destruction(tx, destruction_id)
    principal.require_region(destruction.region)
    return destruction


async def list_destructions(
    tx: UnitOfWork, principal: Principal, *, state: State | None, record: str, before: UUID | None, limit: int
) -> list[Destruction]:
    """Of the caller's region, newest first by id; empty filters let everything through. Raises Fault record_unknown."""
    columns = DESTRUCTIONS.c
    statement = select(DESTRUCTIONS).where(lies_in(columns.region, principal.domain))
    if state is not None:
        statement = statement.where(columns.state == state)
    if record:
        statement = statement.where(columns.record_id == (await find_record(tx, record)).record_id)
    if before is not None:
        statement = statement.where(columns.destruction_id < before)
    rows = await tx.execute(statement.order_by(columns.destruction_id.desc()).limit(limit))
    return [Destruction.model_validate(row._asdict()) for row in rows]


async def prove_destruction(tx: UnitOfWork, destruction_id: UUID, principal: Principal) -> Inclusion:
    """The certificate. Raises as `get_destruction`; Fault transition_forbidden while nothing was destroyed."""
    destruction = await get_destruction(tx, destruction_id, principal)
    if destruction.certificate_id is None:
        raise Fault("transition_forbidden", action="certify_destruction", state=destruction.state.value)
    return await prove_entry(tx, destruction.certificate_id)


def destroyable(now: datetime, policy: Policy) -> ColumnElement[bool]:
    """What has been kept long enough and nobody holds, as a condition on the catalogue."""
    columns = RECORDS.c
    kept_as = func.coalesce(func.nullif(columns.retention_class, ""), columns.record_class)
    closed_at = func.coalesce(columns.closed_at, columns.filed_at)
    over = [
        and_(kept_as == name, closed_at <= years_before(now, retention.years))
        for name, retention in policy.retention.items()
    ]
    held = exists().where(HOLDS.c.record_id == columns.record_id, HOLDS.c.released_at.is_(None))
    return and_(columns.destroyed_at.is_(None), ~held, or_(*over))
