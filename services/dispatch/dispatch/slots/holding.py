"""Holding a slot while its booking is made: each function is one use case in one transaction (DSP-05)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.windows import Window

from dispatch.policy import Policy
from dispatch.slots import rules, store
from dispatch.slots.access import require_may_use, require_serves
from dispatch.slots.planning import Board, alternatives_to, board_of, boards_of, make_room
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.windows import bookable_windows, require_bookable
from dispatch.slots.workforce import need_of
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.placement import hold_waiting_line

REPLACED = "held_another"
GIVEN_BACK = "given_back"


@dataclass(frozen=True)
class Wish:
    """What a slot is wanted for."""

    case_id: UUID
    need: Need
    start: datetime
    key: CreationKey


def read_need(policy: Policy, *, region: str, category: str, skill: str, level: str) -> Need:
    """What a visit needs: as the caller says, else as the standards say for the category.

    Raises Fault region_unknown, category_unknown or skill_unknown; visit_need_missing when they leave it open.
    """
    policy.require_known(region=region, field="region")
    if category:
        if category not in policy.visits:
            raise Fault("category_unknown", field="category", category=category)
        usual = policy.visits[category]
        skill, level = skill or usual.skill, level or usual.level
    if not skill or not level:
        raise Fault("visit_need_missing", field="category")
    policy.require_known(skill=skill, level=level, field="skill")
    return Need(region, skill, level)


async def find_slots(
    tx: UnitOfWork, need: Need, principal: Principal, policy: Policy, *, not_before: datetime | None, limit: int
) -> Sequence[tuple[Window, int]]:
    """The next slots with room for such a visit, and for how many. Raises Fault domain_forbidden."""
    require_serves(principal, need.region)
    windows = list(bookable_windows(tx.now, policy.slots, not_before=not_before))
    counted = ((board.window, board.count(need)) for board in await boards_of(tx, windows, need, policy))
    return list(islice(((window, remaining) for window, remaining in counted if remaining), limit))


async def hold_slot(tx: UnitOfWork, wish: Wish, principal: Principal, policy: Policy) -> Reservation:
    """Keeps one place in the slot free. What the case held before is given back; a customer gives back only
    what they held themselves.

    Raises Fault slot_taken or slots_exhausted when there is no room, those of require_bookable, domain_forbidden.
    """
    require_serves(principal, wish.need.region)
    reservation_id, new = await claim_id(tx, "hold_slot", wish.key, principal)
    if not new:
        return await store.find(tx, reservation_id)
    window = require_bookable(wish.start, tx.now, policy.slots)
    await hold_waiting_line(tx)
    customer = principal.user_id if principal.is_customer else ""
    for held in await store.lock_holds(tx, case_id=wish.case_id, customer=customer):
        await store.save(tx, held, rules.release(held, tx.now, reason=REPLACED))
    board = await board_of(tx, window, wish.need, policy)
    engineer_id = await _find_room(tx, board, wish.need)
    reservation = Reservation(
        reservation_id=reservation_id,
        version=1,
        state=State.HELD,
        case_id=wish.case_id,
        region=wish.need.region,
        skill=wish.need.skill,
        level=wish.need.level,
        window_start=window.start,
        window_end=window.end,
        engineer_id=engineer_id,
        held_by=principal.user_id,
        held_until=tx.now + policy.slots.hold,
        created_at=tx.now,
    )
    return await store.add(tx, rules.hold(reservation))


async def get_reservation(tx: UnitOfWork, reservation_id: UUID, principal: Principal) -> Reservation:
    """Raises Fault reservation_unknown, not_yours or domain_forbidden."""
    reservation = await store.find(tx, reservation_id)
    require_may_use(principal, reservation)
    return reservation


async def release_hold(tx: UnitOfWork, reservation_id: UUID, principal: Principal) -> Reservation:
    """Gives a hold back before its time; one that is over already stays as it is.

    Raises Fault transition_forbidden for a booked one, and as `get_reservation`.
    """
    await hold_waiting_line(tx)
    reservation = await store.lock(tx, reservation_id)
    require_may_use(principal, reservation)
    if reservation.state == State.BOOKED:
        raise Fault("transition_forbidden", action="release", state=reservation.state.value)
    if reservation.state != State.HELD:
        return reservation
    return await store.save(tx, reservation, rules.release(reservation, tx.now, reason=GIVEN_BACK))


async def expire_hold(tx: UnitOfWork, reservation_id: UUID) -> None:
    """Its time is over: the slot is free again. What was booked meanwhile stays."""
    reservation = await store.lock(tx, reservation_id)
    if reservation.state == State.HELD:
        await store.save(tx, reservation, rules.expire(reservation, tx.now))


async def renew_hold(tx: UnitOfWork, reservation: Reservation, policy: Policy) -> Reservation | None:
    """The slot of a hold that is over, once more, if there is still room; for a booking that came late.

    The caller holds the waiting line.
    """
    if not any(reservation.window == each for each in bookable_windows(tx.now, policy.slots)):
        return None
    need = need_of(reservation)
    board = await board_of(tx, reservation.window, need, policy)
    place = board.find(need)
    if place is None:
        return None
    await make_room(tx, board, place)
    again = reservation.model_copy(
        update={
            "reservation_id": uuid7(),
            "version": 1,
            "state": State.HELD,
            "engineer_id": place.engineer_id,
            "held_until": tx.now + policy.slots.hold,
            "created_at": tx.now,
            "ended_at": None,
        }
    )
    return await store.add(tx, rules.hold(again))


async def _find_room(tx: UnitOfWork, board: Board, need: Need) -> UUID:
    place = board.find(need)
    if place is None:
        others = await alternatives_to(tx, board.window, need, board.policy)
        if not others:
            raise Fault("slots_exhausted", field="start_date_time", start=str(board.window))
        shown = "; ".join(map(str, others))
        raise Fault("slot_taken", field="start_date_time", start=str(board.window), alternatives=shown)
    await make_room(tx, board, place)
    return place.engineer_id
