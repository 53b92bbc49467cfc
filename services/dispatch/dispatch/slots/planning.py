"""What engineers have free, slot by slot, and dealing it out (DSP-02, DSP-05).

An engineer counts for a slot when a planned shift covers it, their qualification is valid until it ends, it lies in
their territory, and they have no other visit then. Work orders without an appointed time take up the next hours of
whoever has them, one slot's length each. The caller of anything that changes plans holds the waiting line.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.regions import regions_upwards
from servicekit.windows import Window
from sqlalchemy import func, select

from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.queries import qualifications_of
from dispatch.engineers.tables import ENGINEERS, SHIFTS
from dispatch.policy import Policy
from dispatch.slots import rules, store
from dispatch.slots.capacity import Claim, Place, count_places, find_place
from dispatch.slots.reservation import Reservation, State
from dispatch.slots.windows import bookable_windows
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import HELD
from dispatch.work_orders.work_order import State as WorkOrderState

MADE_ROOM = "made_room"


@dataclass(frozen=True, slots=True)
class Worker:
    """An engineer with everything that decides which slots they count for."""

    engineer: Engineer
    qualifications: dict[str, Qualification]
    shifts: tuple[Window, ...]
    # Work orders without an appointed time keep them busy until then.
    busy_until: datetime

    def can_keep(self, need: Need, window: Window, policy: Policy) -> bool:
        """They may do it, and will be at work then."""
        held = self.qualifications.get(need.skill)
        return (
            any(shift.covers(window) for shift in self.shifts)
            and self.engineer.territory in regions_upwards(need.region)
            and held is not None
            # Up to the last moment of the visit.
            and held.covers(need.skill, need.level, ranks=policy.ranks, now=window.end)
        )


@dataclass(frozen=True)
class Board:
    """One slot: who is at work, and who is planned for what."""

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


def need_of(reservation: Reservation) -> Need:
    return Need(reservation.region, reservation.skill, reservation.level)


async def boards_of(tx: UnitOfWork, windows: Sequence[Window], policy: Policy) -> list[Board]:
    """The boards of these slots as they are now."""
    if not windows:
        return []
    workers = await _workers(tx, windows, policy)
    reservations = await store.live_in(tx, {window.start for window in windows})
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


async def board_of(tx: UnitOfWork, window: Window, policy: Policy) -> Board:
    (board,) = await boards_of(tx, [window], policy)
    return board


async def alternatives_to(tx: UnitOfWork, window: Window, need: Need, policy: Policy) -> list[Window]:
    """Slots that can be had instead of this one, those nearest to it first; as many as the standards say."""
    boards = await boards_of(tx, list(bookable_windows(tx.now, policy.slots)), policy)
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


async def _workers(tx: UnitOfWork, windows: Sequence[Window], policy: Policy) -> list[Worker]:
    first, last = min(window.start for window in windows), max(window.end for window in windows)
    shifts: dict[UUID, list[Window]] = {}
    for row in await tx.execute(select(SHIFTS).where(SHIFTS.c.ends_at > first, SHIFTS.c.starts_at < last)):
        shifts.setdefault(row.engineer_id, []).append(Window(row.starts_at, row.ends_at))
    at_work = select(ENGINEERS).where(ENGINEERS.c.engineer_id.in_(shifts))
    engineers = [Engineer.model_validate(row._asdict()) for row in await tx.execute(at_work)]
    qualifications = await qualifications_of(tx, list(shifts))
    unplanned = await _unplanned_work(tx, shifts)
    return [
        Worker(
            engineer,
            qualifications[engineer.engineer_id],
            tuple(shifts[engineer.engineer_id]),
            tx.now + unplanned[engineer.engineer_id] * policy.slots.length,
        )
        for engineer in engineers
    ]


async def _unplanned_work(tx: UnitOfWork, engineer_ids: Iterable[UUID]) -> Counter[UUID]:
    """How many work orders without an appointed time each of them has."""
    columns = WORK_ORDERS.c
    statement = (
        select(columns.engineer_id, func.count().label("orders"))
        .where(columns.engineer_id.in_(engineer_ids), columns.state.in_(HELD), columns.window_start.is_(None))
        .group_by(columns.engineer_id)
    )
    return Counter({row.engineer_id: row.orders for row in await tx.execute(statement)})


async def _fixed(tx: UnitOfWork, reservations: Sequence[Reservation]) -> frozenset[UUID]:
    booked = {each.work_order_id: each.reservation_id for each in reservations if each.state == State.BOOKED}
    statement = select(WORK_ORDERS.c.work_order_id).where(
        WORK_ORDERS.c.work_order_id.in_(booked), WORK_ORDERS.c.state != WorkOrderState.PLANNED
    )
    return frozenset(booked[order_id] for order_id in (await tx.execute(statement)).scalars())
