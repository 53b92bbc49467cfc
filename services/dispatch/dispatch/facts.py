"""What dispatch tells the loop check: work orders, incidents and reserved slots with their clocks, certificates."""

from collections.abc import Collection
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import and_, func, select

from dispatch.engineers.certificate import State
from dispatch.engineers.tables import CERTIFICATES, ENGINEERS, QUALIFICATIONS
from dispatch.incidents import consistency as incident_consistency
from dispatch.incidents.incident import Incident
from dispatch.incidents.ladder import Ladder
from dispatch.incidents.tables import INCIDENTS
from dispatch.slots.facts import reservation_facts
from dispatch.work_orders.consistency import problems_of
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import HELD, WorkOrder
from servicekit import deadlines

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int, *, ladder: Ladder) -> list[EntityFact]:
    """The next of all kinds by id, after the id `after`; empty for the first ones."""
    first = UUID(after) if after else _FIRST
    facts = [
        *await _work_orders(tx, first, limit),
        *await _certificates(tx, first, limit),
        *await _incidents(tx, first, limit, ladder),
        *await reservation_facts(tx, first, limit),
    ]
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _work_orders(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    statement = (
        select(WORK_ORDERS)
        .where(WORK_ORDERS.c.work_order_id > after)
        .order_by(WORK_ORDERS.c.work_order_id)
        .limit(limit)
    )
    orders = [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(order.work_order_id) for order in orders])
    miscounted = await _miscounted(tx, {order.engineer_id for order in orders if order.engineer_id})
    facts = []
    for order in orders:
        own = clocks[str(order.work_order_id)]
        problems = problems_of(order, own)
        if order.engineer_id in miscounted:
            problems.append(f"the load of engineer {order.engineer_id} is counted wrongly")
        facts.append(
            EntityFact(
                entity="work_order",
                entity_id=str(order.work_order_id),
                case_id=str(order.case_id),
                state=order.state,
                running_clocks=deadlines.running(own),
                version=order.version,
                problems=problems,
            )
        )
    return facts


async def _certificates(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    """Certificates of training's as they are known here. No qualification may rest on one that does not count."""
    rests = and_(QUALIFICATIONS.c.certificate_id == CERTIFICATES.c.certificate_id, ~QUALIFICATIONS.c.revoked)
    statement = (
        select(CERTIFICATES.c.certificate_id, CERTIFICATES.c.state, QUALIFICATIONS.c.engineer_id)
        .join_from(CERTIFICATES, QUALIFICATIONS, rests, isouter=True)
        .where(CERTIFICATES.c.certificate_id > after)
        .order_by(CERTIFICATES.c.certificate_id)
        .limit(limit)
    )
    return [
        EntityFact(
            entity="known_certificate",
            entity_id=str(row.certificate_id),
            state=row.state,
            problems=[f"engineer {row.engineer_id} is still qualified by it"]
            if row.engineer_id and row.state != State.VALID
            else [],
        )
        for row in await tx.execute(statement)
    ]


async def _incidents(tx: UnitOfWork, after: UUID, limit: int, ladder: Ladder) -> list[EntityFact]:
    """Every incident with its ladder clock and its commander (DSP-06)."""
    statement = select(INCIDENTS).where(INCIDENTS.c.incident_id > after).order_by(INCIDENTS.c.incident_id).limit(limit)
    incidents = [Incident.model_validate(row._asdict()) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(incident.incident_id) for incident in incidents])
    return [
        EntityFact(
            entity="incident",
            entity_id=str(incident.incident_id),
            state=incident.state,
            running_clocks=deadlines.running(clocks[str(incident.incident_id)]),
            version=incident.version,
            problems=incident_consistency.problems_of(incident, clocks[str(incident.incident_id)], ladder),
        )
        for incident in incidents
    ]


async def _miscounted(tx: UnitOfWork, engineer_ids: Collection[UUID]) -> set[UUID]:
    """Those whose counted load is not what they really have. One statement, so that both are of the same moment."""
    held = and_(WORK_ORDERS.c.engineer_id == ENGINEERS.c.engineer_id, WORK_ORDERS.c.state.in_(HELD))
    statement = (
        select(ENGINEERS.c.engineer_id)
        .join_from(ENGINEERS, WORK_ORDERS, held, isouter=True)
        .where(ENGINEERS.c.engineer_id.in_(engineer_ids))
        .group_by(ENGINEERS.c.engineer_id)
        .having(ENGINEERS.c.open_work_orders != func.count(WORK_ORDERS.c.work_order_id))
    )
    return set((await tx.execute(statement)).scalars())
