"""Keeping appointed times: who goes when it is time, and who instead when somebody drops out (DSP-04, DSP-05).

Everywhere here the caller holds the waiting line.
"""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault

from dispatch.engineers.engineer import Engineer
from dispatch.policy import Policy
from dispatch.slots import rules, store
from dispatch.slots.planning import Board, alternatives_to, board_of, make_room
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.workforce import need_of
from dispatch.work_orders.work_order import WorkOrder

DECLINED = "declined"


async def choose_keeper(tx: UnitOfWork, order: WorkOrder, policy: Policy, *, because: str) -> UUID | None:
    """Who makes an appointed visit: whoever is planned for it, else somebody else who can keep the time.

    Those who declined it are asked again only when nobody else can. None when nobody can: then the time is given up.
    """
    reservation = await _reservation_of(tx, order)
    board = await board_of(tx, reservation.window, need_of(reservation), policy)
    declined = frozenset(order.declined_by)
    if reservation.window.end > tx.now:
        if reservation.engineer_id not in declined and board.keeps(reservation):
            return reservation.engineer_id
        for but in (declined, frozenset[UUID]()):
            moved = await _hand_on(tx, board, reservation, but=but, because=because or DECLINED)
            if moved is not None:
                return moved.engineer_id
    await give_up(tx, reservation, policy, because=because)
    return None


async def replan_reservation(
    tx: UnitOfWork, reservation: Reservation, policy: Policy, *, because: str
) -> Reservation | None:
    """Finds somebody else for a visit that its engineer can no longer make; None when it had to be given up."""
    board = await board_of(tx, reservation.window, need_of(reservation), policy)
    if board.keeps(reservation):
        return reservation
    moved = await _hand_on(tx, board, reservation, but=frozenset(), because=because)
    if moved is None:
        await give_up(tx, reservation, policy, because=because)
    return moved


async def give_up(tx: UnitOfWork, reservation: Reservation, policy: Policy, *, because: str) -> None:
    """Nobody can keep it. Whoever booked it hears of other slots; a mere hold is over without further ado."""
    if reservation.state == State.HELD:
        await store.save(tx, reservation, rules.release(reservation, tx.now, reason=because))
        return
    others = await alternatives_to(tx, reservation.window, need_of(reservation), policy)
    await store.save(tx, reservation, rules.fail(reservation, tx.now, because=because, alternatives=others))


async def pin(tx: UnitOfWork, order: WorkOrder, engineer: Engineer) -> None:
    """A dispatcher's own choice of who makes an appointed visit. Raises Fault engineer_booked."""
    reservation = await _reservation_of(tx, order)
    if reservation.engineer_id == engineer.engineer_id:
        return
    if await store.live_in(tx, [reservation.window_start], [engineer.engineer_id]):
        raise Fault("engineer_booked", field="engineer_id", start=str(reservation.window))
    step = rules.replan(reservation, engineer_id=engineer.engineer_id, because="dispatcher_override")
    await store.save(tx, reservation, step)


async def _hand_on(
    tx: UnitOfWork, board: Board, reservation: Reservation, *, but: frozenset[UUID], because: str
) -> Reservation | None:
    place = board.find(need_of(reservation), but=but, instead_of=reservation.reservation_id)
    if place is None:
        return None
    if place.engineer_id == reservation.engineer_id:
        return reservation
    await make_room(tx, board, place)
    return await store.save(tx, reservation, rules.replan(reservation, engineer_id=place.engineer_id, because=because))


async def _reservation_of(tx: UnitOfWork, order: WorkOrder) -> Reservation:
    reservation = await store.lock_live_of_work_order(tx, order.work_order_id)
    assert reservation is not None, "an open work order with an appointed time rests on a booked reservation"
    return reservation
