"""Work that other services ask for, or no longer want (DSP-03)."""

from uuid import UUID

from bihuan.dispatch.v1 import events_pb2
from servicekit.casenumbers import issue, serials
from servicekit.database import UnitOfWork
from servicekit.moments import CHINA_TIME
from sqlalchemy import exists, select

from dispatch.policy import Policy
from dispatch.work_orders import rules, store
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.tables import NUMBERS, WORK_ORDERS
from dispatch.work_orders.work_order import OPEN, State, WorkOrder

NUMBER_PREFIX = "W"
# Whoever asks without saying so, as intake has always done.
DEFAULT_ASKER = "intake"


async def create_work_order(tx: UnitOfWork, wanted: events_pb2.CreateWorkOrder, placement: Placement) -> None:
    """Creates the work order and finds somebody for it. Asked again for the same one, it does nothing.

    Raises Fault skill_unknown, level_unknown or region_unknown: such a work order would wait for ever.
    """
    if not await tx.scalar(select(exists().where(WORK_ORDERS.c.work_order_id == UUID(wanted.work_order_id)))):
        await placement.place(tx, await add_work_order(tx, wanted, placement.policy))


async def add_work_order(tx: UnitOfWork, wanted: events_pb2.CreateWorkOrder, policy: Policy) -> WorkOrder:
    """The first version of a work order; nobody is looked for yet. Raises as `create_work_order`."""
    policy.require_known(skill=wanted.skill, level=wanted.level, region=wanted.region)
    (serial,) = await serials(tx, NUMBERS, 1)
    order = WorkOrder(
        work_order_id=UUID(wanted.work_order_id),
        work_order_number=issue(NUMBER_PREFIX, tx.now.astimezone(CHINA_TIME).date(), serial),
        version=1,
        state=State.WAITING,
        case_id=UUID(wanted.case_id),
        case_number=wanted.case_number,
        asked_by=wanted.asked_by or DEFAULT_ASKER,
        customer_id=UUID(wanted.customer_id) if wanted.customer_id else None,
        sealing_key=wanted.sealing_key,
        region=wanted.region,
        skill=wanted.skill,
        level=wanted.level,
        priority=wanted.priority,
        created_at=tx.now,
    )
    return await store.add(tx, rules.create(order), actor=rules.SYSTEM)


async def cancel_work_order(tx: UnitOfWork, wanted: events_pb2.CancelWorkOrder, placement: Placement) -> None:
    """Calls the work off. What is over stays as it is, and what somebody is on site for where the asker says so: the
    asker hears of that by its own event.

    Raises Fault("work_order_unknown").
    """
    await hold_waiting_line(tx)
    order = await store.lock(tx, wanted.work_order_id)
    if order.state not in OPEN or (wanted.unless_on_site and order.state == State.ON_SITE):
        return
    await store.save(tx, order, rules.cancel(order, tx.now, reason=wanted.reason), actor=rules.SYSTEM)
    if order.held_by is not None:
        await placement.take_up(tx, order.held_by)
