"""Reading work orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from bihuan.dispatch.v1 import work_orders_pb2
from google.protobuf.json_format import ParseDict
from servicekit.customertexts import change_texts
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.regions import lies_in
from servicekit.sealing import Sealer
from sqlalchemy import select

from dispatch.access import require_may_read
from dispatch.engineers.queries import user_of
from dispatch.engineers.tables import ENGINEERS
from dispatch.words import Change, openers
from dispatch.work_orders import store
from dispatch.work_orders.tables import HISTORY, WORK_ORDERS, HistoryRow
from dispatch.work_orders.work_order import State, WorkOrder
from servicekit import deadlines


@dataclass(frozen=True, slots=True)
class View:
    """A work order with what people want to know beside it; its texts in clear."""

    order: WorkOrder
    report: work_orders_pb2.Report | None
    failure: str
    engineer_name: str
    clocks: list[Clock]


async def get_work_order(tx: UnitOfWork, sealer: Sealer, reference: str, principal: Principal) -> View:
    """Raises Fault work_order_unknown, domain_forbidden, or not_yours for another engineer's."""
    order = await _readable(tx, reference, principal)
    return (await describe(tx, sealer, [order]))[0]


async def get_history(tx: UnitOfWork, sealer: Sealer, reference: str, principal: Principal) -> list[HistoryRow]:
    """Everything that happened to a work order, oldest first. Raises as `get_work_order`."""
    order = await _readable(tx, reference, principal)
    statement = (
        select(HISTORY)
        .where(HISTORY.c.work_order_id == order.work_order_id, HISTORY.c.at >= order.created_at)
        .order_by(HISTORY.c.version)
    )
    rows = [HistoryRow(**row._asdict()) for row in await tx.execute(statement)]
    opened = (await openers(tx, sealer, [order]))(order)
    for row in rows:
        row.details = {name: opened(value) for name, value in row.details.items()}
    return rows


async def list_work_orders(
    tx: UnitOfWork,
    sealer: Sealer,
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
    return await describe(tx, sealer, [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)])


async def describe(tx: UnitOfWork, sealer: Sealer, orders: Sequence[WorkOrder]) -> list[View]:
    """The work orders in clear, with their engineers' names and their clocks."""
    if not orders:
        return []
    ids = {order.engineer_id for order in orders if order.engineer_id is not None}
    statement = select(ENGINEERS.c.engineer_id, ENGINEERS.c.display_name).where(ENGINEERS.c.engineer_id.in_(ids))
    names = {row.engineer_id: row.display_name for row in await tx.execute(statement)} if ids else {}
    clocks = await deadlines.of(tx, [str(order.work_order_id) for order in orders])
    opener = await openers(tx, sealer, orders)
    return [
        View(
            order=order,
            report=_report_of(order, opener(order)),
            failure=opener(order)(order.failure),
            engineer_name=names[order.engineer_id] if order.engineer_id else "",
            clocks=clocks[str(order.work_order_id)],
        )
        for order in orders
    ]


def _report_of(order: WorkOrder, opened: Change) -> work_orders_pb2.Report | None:
    if order.report is None:
        return None
    report = ParseDict(order.report, work_orders_pb2.Report())
    change_texts(report, opened)
    return report


async def _readable(tx: UnitOfWork, reference: str, principal: Principal) -> WorkOrder:
    order = await store.find(tx, reference)
    require_may_read(principal, user_id=await user_of(tx, order.engineer_id), region=order.region)
    return order
