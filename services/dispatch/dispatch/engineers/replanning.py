"""Appointments of an engineer who can no longer keep them all go to others, or are given up (DSP-04, DSP-05)."""

from uuid import UUID

from servicekit.database import UnitOfWork

from dispatch.slots import store as reservations
from dispatch.slots.keeping import replan_reservation
from dispatch.slots.planning import board_of
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.workforce import need_of
from dispatch.work_orders import rules, store
from dispatch.work_orders.placement import Placement
from dispatch.work_orders.work_order import NOT_STARTED, WorkOrder
from dispatch.work_orders.work_order import State as OrderState


async def replan_engineer(tx: UnitOfWork, engineer_id: UUID, placement: Placement, *, because: str, actor: str) -> None:
    """To be called after whatever changed: shift, qualification. A visit under way goes on.

    The caller holds the waiting line.
    """
    for planned in await reservations.lock_live_of_engineer(tx, engineer_id):
        if planned.window.end > tx.now:
            await _replan(tx, planned.reservation_id, placement, because=because, actor=actor)


async def _replan(tx: UnitOfWork, reservation_id: UUID, placement: Placement, *, because: str, actor: str) -> None:
    # Read anew: making room for the one before may have changed it.
    reservation = await reservations.lock(tx, reservation_id)
    board = await board_of(tx, reservation.window, need_of(reservation), placement.policy)
    order = await _order_of(tx, reservation)
    if board.keeps(reservation) or (order is not None and order.state not in NOT_STARTED | {OrderState.PLANNED}):
        return
    if order is not None and order.state in NOT_STARTED:
        await placement.pass_on(tx, order, rules.withdraw(order, because=because), actor=actor)
    elif await replan_reservation(tx, reservation, placement.policy, because=because) is None and order is not None:
        await placement.call_off(tx, order)


async def _order_of(tx: UnitOfWork, reservation: Reservation) -> WorkOrder | None:
    if reservation.state != State.BOOKED:
        return None
    return await store.lock(tx, str(reservation.work_order_id))
