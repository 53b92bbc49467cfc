"""Booking what is held, as the owner of the case asks over the bus, and moving it to another slot (DSP-05)."""

from uuid import UUID

from bihuan.common.v1.common_pb2 import TimePeriod
from bihuan.dispatch.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault

from dispatch.policy import Policy
from dispatch.slots import rules, store
from dispatch.slots.holding import renew_hold
from dispatch.slots.planning import alternatives_to
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.workforce import need_of
from dispatch.work_orders import rules as order_rules
from dispatch.work_orders import store as orders
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.creation import add_work_order
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.work_order import NOT_STARTED, OPEN, WorkOrder
from dispatch.work_orders.work_order import State as OrderState

APPOINTED = "appointment_booked"
MOVED = "moved"


async def book_reservation(tx: UnitOfWork, wanted: events_pb2.BookReservation, placement: Placement) -> None:
    """Books the slot, and gives the work order its time; or says why not, with other slots.

    A hold that is over is taken up again while there is room. Asked again for the same appointment, it does nothing.
    """
    await hold_waiting_line(tx)
    policy = placement.policy
    try:
        reservation = await store.lock(tx, UUID(wanted.reservation_id))
    except Fault as fault:
        _refuse(tx, wanted, fault.code)
        return
    if reservation.state == State.BOOKED and str(reservation.appointment_id) == wanted.appointment_id:
        return
    order = await _order_of(tx, wanted)
    if reason := _reason_against(wanted, reservation, order, policy):
        _refuse(tx, wanted, reason)
        return
    held = await _still_held(tx, reservation, policy)
    if held is None:
        others = await alternatives_to(tx, reservation.window, need_of(reservation), policy)
        _refuse(tx, wanted, "slot_taken", [window.message() for window in others])
        return
    await _appoint(tx, wanted, held, order, placement)


async def _appoint(
    tx: UnitOfWork,
    wanted: events_pb2.BookReservation,
    held: Reservation,
    order: WorkOrder | None,
    placement: Placement,
) -> None:
    if order is None:
        order = await add_work_order(tx, _creation(wanted), placement.policy)
    await _give_back(tx, order)
    freed = order.held_by
    if order.state in NOT_STARTED:
        order = await orders.save(tx, order, order_rules.withdraw(order, because=APPOINTED), actor=order_rules.SYSTEM)
    assign_at = held.window.start - placement.policy.slots.assignment_lead
    planned = order_rules.plan(order, window=held.window, assign_at=assign_at)
    order = await orders.save(tx, order, planned, actor=order_rules.SYSTEM)
    step = rules.book(
        held,
        appointment_id=UUID(wanted.appointment_id),
        work_order_id=order.work_order_id,
        work_order_version=order.version,
        replaces=wanted.replaces,
    )
    await store.save(tx, held, step)
    if freed is not None:
        await placement.take_up(tx, freed)


async def _order_of(tx: UnitOfWork, wanted: events_pb2.BookReservation) -> WorkOrder | None:
    try:
        return await orders.lock(tx, wanted.work_order_id)
    except Fault as fault:
        if fault.code == "work_order_unknown":
            return None
        raise


def _reason_against(
    wanted: events_pb2.BookReservation, reservation: Reservation, order: WorkOrder | None, policy: Policy
) -> str:
    need, held_for = Need(wanted.region, wanted.skill, wanted.level), need_of(reservation)
    if str(reservation.case_id) != wanted.case_id:
        return "other_case"
    if (need.region, need.skill) != (held_for.region, held_for.skill):
        return "other_work"
    if policy.ranks.get(need.level, 0) > policy.ranks[held_for.level]:
        return "other_work"
    if order is not None:
        if order.state not in OPEN:
            return "visit_over"
        if order.state not in NOT_STARTED | {OrderState.WAITING, OrderState.PLANNED}:
            return "visit_under_way"
        if order.skill != held_for.skill or policy.ranks[order.level] > policy.ranks[held_for.level]:
            return "other_work"
    return ""


async def _still_held(tx: UnitOfWork, reservation: Reservation, policy: Policy) -> Reservation | None:
    if reservation.state == State.HELD:
        return reservation
    if reservation.state == State.BOOKED:
        return None
    return await renew_hold(tx, reservation, policy)


async def _give_back(tx: UnitOfWork, order: WorkOrder) -> None:
    """The slot that the visit is moved away from, be it of this appointment or of one that was cancelled meanwhile."""
    reservation = await store.lock_live_of_work_order(tx, order.work_order_id)
    if reservation is not None:
        await store.save(tx, reservation, rules.release(reservation, tx.now, reason=MOVED))


def _refuse(
    tx: UnitOfWork, wanted: events_pb2.BookReservation, reason: str, alternatives: list[TimePeriod] | None = None
) -> None:
    refused = events_pb2.ReservationRefused(
        reservation_id=wanted.reservation_id,
        case_id=wanted.case_id,
        appointment_id=wanted.appointment_id,
        reason=reason,
        alternatives=alternatives,
    )
    # About a wish, not about the reservation: that has no new version.
    tx.emit(refused, version=0)


def _creation(wanted: events_pb2.BookReservation) -> events_pb2.CreateWorkOrder:
    return events_pb2.CreateWorkOrder(
        work_order_id=wanted.work_order_id,
        case_id=wanted.case_id,
        case_number=wanted.case_number,
        region=wanted.region,
        skill=wanted.skill,
        level=wanted.level,
        priority=wanted.priority,
        customer_id=wanted.customer_id,
        sealing_key=wanted.sealing_key,
    )
