"""Reading incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.regions import lies_in, regions_upwards
from sqlalchemy import or_, select

from dispatch.incidents import store
from dispatch.incidents.incident import Incident, State
from dispatch.incidents.tables import HISTORY, INCIDENTS, HistoryRow
from servicekit import deadlines


@dataclass(frozen=True, slots=True)
class View:
    """An incident with its clocks."""

    incident: Incident
    clocks: list[Clock]


async def get_incident(tx: UnitOfWork, reference: str, principal: Principal) -> View:
    """Raises Fault incident_unknown or domain_forbidden."""
    return (await describe(tx, [await _readable(tx, reference, principal)]))[0]


async def get_history(tx: UnitOfWork, reference: str, principal: Principal) -> list[HistoryRow]:
    """Everything that happened to an incident, oldest first. Raises as `get_incident`."""
    incident = await _readable(tx, reference, principal)
    # It was opened a moment after it was first reported, so no partition is left out.
    statement = (
        select(HISTORY)
        .where(HISTORY.c.incident_id == incident.incident_id, HISTORY.c.at >= incident.reported_at)
        .order_by(HISTORY.c.version)
    )
    return [HistoryRow(**row._asdict()) for row in await tx.execute(statement)]


async def list_incidents(
    tx: UnitOfWork, principal: Principal, *, state: State | None, region: str, before: UUID | None, limit: int
) -> list[View]:
    """Newest first, by id: those of the principal's domain, and those that reach into it from above."""
    columns = INCIDENTS.c
    conditions = [or_(lies_in(columns.region, principal.domain), columns.region.in_(regions_upwards(principal.domain)))]
    if state is not None:
        conditions.append(columns.state == state)
    if region:
        conditions.append(lies_in(columns.region, region))
    if before is not None:
        conditions.append(columns.incident_id < before)
    statement = select(INCIDENTS).where(*conditions).order_by(columns.incident_id.desc()).limit(limit)
    return await describe(tx, [Incident.model_validate(row._asdict()) for row in await tx.execute(statement)])


async def describe(tx: UnitOfWork, incidents: Sequence[Incident]) -> list[View]:
    """The incidents with their clocks."""
    clocks = await deadlines.of(tx, [str(incident.incident_id) for incident in incidents])
    return [View(incident, clocks[str(incident.incident_id)]) for incident in incidents]


async def _readable(tx: UnitOfWork, reference: str, principal: Principal) -> Incident:
    """Whoever works in a district may read what concerns the whole city."""
    incident = await store.find(tx, reference)
    if incident.region not in regions_upwards(principal.domain):
        principal.require_region(incident.region)
    return incident
