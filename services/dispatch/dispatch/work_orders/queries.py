"""Reading work orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import select

from dispatch.access import require_may_read
from dispatch.engineers.queries import user_of
from dispatch.engineers.tables import ENGINEERS
from dispatch.work_orders import store
from dispatch.work_orders.tables import HISTORY, WORK_ORDERS, HistoryRow
from dispatch.work_orders.work_order import State, WorkOrder
from servicekit import deadlines


@dataclass(frozen=True, slots=True)
class View:
    """A work order with what people want to know beside it."""

    order: WorkOrder
    engineer_name: str
    clocks: list[Clock]


async def get_work_order(tx: UnitOfWork, reference: str, principal: Principal) -> View:
    """Raises Fault work_order_unknown, domain_forbidden, or not_yours for another engineer's."""
    order = await _readable(tx, reference, principal)
    return (await describe(tx, [order]))[0]


async def get_history(tx: UnitOfWork, reference: str, principal: Principal) -> list[HistoryRow]:
    """Everything that happened to a work order, oldest first. Raises as `get_work_order`."""
    order = await _readable(tx, reference, principal)
    statement = (
        select(HISTORY)
        .where(HISTORY.c.work_order_id == order.work_order_id, HISTORY.c.at >= order.created_at)
        .order_by(HISTORY.c.version)
    )
    return [HistoryRow(**row._asdict()) for row in await tx.execute(statement)]


async def list_work_orders(
    tx: UnitOfWork,
    principal: Principal,
    *,
    state: State | None,
    engineer_id: UUID | None,
    case_id: UUID | None,
    region: str,
    before: UUID | None,
    limit: int,
) -> list[View]:
    """Newest first, by id; engineers see only their own. Empty filters let everything through."""
    columns = WORK_ORDERS.c
    if principal.is_engineer:
        own = select(ENGINEERS.c.engineer_id).where(ENGINEERS.c.user_id == principal.user_id).scalar_subquery()
        conditions = [columns.engineer_id == own]
    else:
        conditions = [lies_in(columns.region, principal.domain)]
    if state is not None:
        conditions.append(columns.state == state)
    if engineer_id is not None:
        conditions.append(columns.engineer_id == engineer_id)
    if case_id is not None:
        conditions.append(columns.case_id == case_id)
    if region:
        conditions.append(lies_in(columns.region, region))
    if before is not None:
        conditions.append(columns.work_order_id < before)
    statement = select(WORK_ORDERS).where(*conditions).order_by(columns.work_order_id.desc()).limit(limit)
    return await describe(tx, [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)])


async def describe(tx: UnitOfWork, orders: Sequence[WorkOrder]) -> list[View]:
    """The work orders with their engineers' names and their clocks."""
    if not orders:
        return []
    ids = {order.engineer_id for order in orders if order.engineer_id is not None}
    statement = select(ENGINEERS.c.engineer_id, ENGINEERS.c.display_name).where(ENGINEERS.c.engineer_id.in_(ids))
    names = {row.engineer_id: row.display_name for row in await tx.execute(statement)} if ids else {}
    clocks = await deadlines.of(tx, [str(order.work_order_id) for order in orders])
    return [
        View(order, names[order.engineer_id] if order.engineer_id else "", clocks[str(order.work_order_id)])
        for order in orders
    ]


async def _readable(tx: UnitOfWork, reference: str, principal: Principal) -> WorkOrder:
    order = await store.find(tx, reference)
    require_may_read(principal, user_id=await user_of(tx, order.engineer_id), region=order.region)
    return order
