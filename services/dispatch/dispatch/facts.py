"""What dispatch tells the loop check: every work order with its clocks and what is wrong with it."""

from collections.abc import Collection
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import and_, func, select

from dispatch.engineers.tables import ENGINEERS
from dispatch.work_orders.consistency import problems_of, running_clocks
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import HELD, WorkOrder
from servicekit import deadlines

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next work orders by id, after the id `after`; empty for the first ones."""
    statement = (
        select(WORK_ORDERS)
        .where(WORK_ORDERS.c.work_order_id > (UUID(after) if after else _FIRST))
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
                running_clocks=running_clocks(own),
                version=order.version,
                problems=problems,
            )
        )
    return facts


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
