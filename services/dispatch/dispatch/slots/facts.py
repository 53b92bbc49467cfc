"""What dispatch tells the loop check of reservations: each with its clock and its work order (DSP-05)."""

from collections.abc import Collection, Iterator
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from dispatch.policy import SLOT_HOLD
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.tables import RESERVATIONS
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import OPEN, WorkOrder
from servicekit import deadlines


async def reservation_facts(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    """The next reservations by id."""
    columns = RESERVATIONS.c
    statement = select(RESERVATIONS).where(columns.reservation_id > after).order_by(columns.reservation_id).limit(limit)
    found = [Reservation.model_validate(row._asdict()) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(each.reservation_id) for each in found])
    orders = await _orders(tx, {each.work_order_id for each in found if each.work_order_id is not None})
    facts = []
    for reservation in found:
        running = deadlines.running(clocks[str(reservation.reservation_id)])
        order = orders.get(reservation.work_order_id) if reservation.work_order_id else None
        facts.append(
            EntityFact(
                entity="reservation",
                entity_id=str(reservation.reservation_id),
                case_id=str(reservation.case_id),
                state=reservation.state,
                running_clocks=running,
                version=reservation.version,
                problems=list(problems_of(reservation, running, order)),
            )
        )
    return facts


def problems_of(reservation: Reservation, running: Collection[str], order: WorkOrder | None) -> Iterator[str]:
    """What is wrong with a reservation, in words for operators. Pure."""
    if (reservation.state == State.HELD) != (SLOT_HOLD in running):
        yield f"clock {SLOT_HOLD} {'runs' if running else 'does not run'} in state {reservation.state}"
    if reservation.state != State.BOOKED:
        return
    if order is None or order.state not in OPEN:
        yield "it is booked without a live work order"
        return
    if order.window != reservation.window:
        yield "its work order has another appointed time"
    if order.held_by not in {None, reservation.engineer_id}:
        yield "its work order is with somebody who is not planned for it"


async def _orders(tx: UnitOfWork, work_order_ids: Collection[UUID]) -> dict[UUID, WorkOrder]:
    statement = select(WORK_ORDERS).where(WORK_ORDERS.c.work_order_id.in_(work_order_ids))
    found = [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)]
    return {order.work_order_id: order for order in found}
