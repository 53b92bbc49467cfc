"""What engineers have free, slot by slot, and dealing it out (DSP-02, DSP-05).

An engineer counts for a slot when a planned shift covers it, their qualification is valid until it ends, it lies in
their territory, and they have no other visit then. Work orders without an appointed time take up the next hours of
whoever has them, one slot's length each. The caller of anything that changes plans holds the waiting line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.windows import Window
from sqlalchemy import select

from dispatch.policy import Policy
from dispatch.slots import rules, store
from dispatch.slots.capacity import Claim, Place, count_places, find_place
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.windows import bookable_windows
from dispatch.slots.workforce import Worker, find_concerned, need_of
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import State as WorkOrderState

MADE_ROOM = "made_room"


@dataclass(frozen=True)
class Board:
    """One slot, as far as it matters for visits of one need: who is at work, and who is planned for what."""

    window: Window
    workers: Sequence[Worker]
    reservations: Sequence[Reservation]
    # Somebody is on their way with these already, so they change hands no more.
    fixed: frozenset[UUID]
    policy: Policy

    def able(self, need: Need, *, but: frozenset[UUID] = frozenset()) -> list[UUID]:
        """Who could make one more visit then, the nearest territory first; never those of `but`."""
        found = [
            worker.engineer
            for worker in self.workers
            if worker.busy_until <= self.window.start
            and worker.engineer.engineer_id not in but
            and worker.can_keep(need, self.window, self.policy)
        ]
        found.sort(key=lambda engineer: (-engineer.territory.count("."), engineer.engineer_id))
        return [engineer.engineer_id for engineer in found]

    def find(self, need: Need, *, but: frozenset[UUID] = frozenset(), instead_of: UUID | None = None) -> Place | None:
        """Room for a visit, as if the reservation `instead_of` were not there."""
        return find_place(self.able(need, but=but), self._taken(instead_of))

    def count(self, need: Need) -> int:
        return count_places(self.able(need), self._taken(None))

    def keeps(self, reservation: Reservation) -> bool:
        """Whether whoever is planned for it can still keep it."""
        return any(
            worker.engineer.engineer_id == reservation.engineer_id
            and worker.can_keep(need_of(reservation), self.window, self.policy)
            for worker in self.workers
        )

    def _taken(self, left_out: UUID | None) -> dict[UUID, Claim]:
        return {
            planned.engineer_id: Claim(
                planned.reservation_id,
                () if planned.reservation_id in self.fixed else self.able(need_of(planned)),
            )
            for planned in self.reservations
            if planned.reservation_id != left_out
        }


async def boards_of(tx: UnitOfWork, windows: Sequence[Window], need: Need, policy: Policy) -> list[Board]:
    """The boards of these slots for visits of that need, as they are now."""
    if not windows:
        return []
    workers, reservations = await find_concerned(tx, windows, need, policy)
    fixed = await _fixed(tx, reservations)
    return [
        Board(
            window,
            [worker for worker in workers if any(shift.covers(window) for shift in worker.shifts)],
            [each for each in reservations if each.window_start == window.start],
            fixed,
            policy,
        )
        for window in windows
    ]


async def board_of(tx: UnitOfWork, window: Window, need: Need, policy: Policy) -> Board:
    (board,) = await boards_of(tx, [window], need, policy)
    return board


async def alternatives_to(tx: UnitOfWork, window: Window, need: Need, policy: Policy) -> list[Window]:
    """Slots that can be had instead of this one, those nearest to it first; as many as the standards say."""
    boards = await boards_of(tx, list(bookable_windows(tx.now, policy.slots)), need, policy)
    boards.sort(key=lambda board: abs(board.window.start - window.start))
    found = (board.window for board in boards if board.window != window and board.find(need))
    return sorted(each for each, _ in zip(found, range(policy.slots.alternatives), strict=False))


async def make_room(tx: UnitOfWork, board: Board, place: Place) -> None:
    """Lets the visits that are in the way change hands, so that the engineer of `place` is free."""
    planned = {each.reservation_id: each for each in board.reservations}
    for reservation_id, engineer_id in place.moves:
        reservation = planned[reservation_id]
        step = rules.replan(reservation, engineer_id=engineer_id, because=MADE_ROOM)
        await store.save(tx, reservation, step)


async def _fixed(tx: UnitOfWork, reservations: Sequence[Reservation]) -> frozenset[UUID]:
    booked = {each.work_order_id: each.reservation_id for each in reservations if each.state == State.BOOKED}
    statement = select(WORK_ORDERS.c.work_order_id).where(
        WORK_ORDERS.c.work_order_id.in_(booked), WORK_ORDERS.c.state != WorkOrderState.PLANNED
    )
    return frozenset(booked[order_id] for order_id in (await tx.execute(statement)).scalars())
