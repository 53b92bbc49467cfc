"""Who matters for a visit in some slots, and what they are planned for: as little of the workforce as decides it.

That is everybody who could make such a visit, everybody who could take over what these are planned for then, and so on:
room is made only along such chains (see capacity.py). Territories and skills keep them short, however many engineers
there are.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.regions import regions_upwards
from servicekit.windows import Window
from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.queries import qualifications_of
from dispatch.engineers.tables import ENGINEERS, QUALIFICATIONS, SHIFTS
from dispatch.policy import Policy
from dispatch.slots import store
from dispatch.slots.reservation import Reservation
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import HELD


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


def need_of(reservation: Reservation) -> Need:
    return Need(reservation.region, reservation.skill, reservation.level)


async def find_concerned(
    tx: UnitOfWork, windows: Sequence[Window], need: Need, policy: Policy
) -> tuple[list[Worker], list[Reservation]]:
    """Who matters for a visit of that need in any of these slots, and all that they are planned for in them."""
    starts = {window.start for window in windows}
    shifts: dict[UUID, list[Window]] = {}
    reservations: list[Reservation] = []
    asked: set[Need] = set()
    asking = {need}
    while asking:
        found = await _shifts_of_able(tx, windows, asking, but=shifts)
        planned = await store.live_in(tx, starts, found) if found else []
        shifts.update(found)
        reservations.extend(planned)
        asked |= asking
        asking = {need_of(each) for each in planned} - asked
    return await _workers(tx, shifts, policy), reservations


async def _shifts_of_able(
    tx: UnitOfWork, windows: Sequence[Window], needs: Iterable[Need], *, but: Collection[UUID]
) -> dict[UUID, list[Window]]:
    """The shifts of those who may serve one of the needs, as far as territory and skill tell; never those of `but`."""
    first, last = min(window.start for window in windows), max(window.end for window in windows)
    may_serve = (
        select(ENGINEERS.c.engineer_id)
        .where(or_(*(_may_serve(region, skill, first) for region, skill in {(n.region, n.skill) for n in needs})))
        .scalar_subquery()
    )
    statement = select(SHIFTS).where(
        SHIFTS.c.engineer_id.in_(may_serve), SHIFTS.c.ends_at > first, SHIFTS.c.starts_at < last
    )
    shifts: dict[UUID, list[Window]] = {}
    for row in await tx.execute(statement):
        if row.engineer_id not in but:
            shifts.setdefault(row.engineer_id, []).append(Window(row.starts_at, row.ends_at))
    return shifts


def _may_serve(region: str, skill: str, moment: datetime) -> ColumnElement[bool]:
    held = QUALIFICATIONS.c
    return and_(
        ENGINEERS.c.territory.in_(regions_upwards(region)),
        exists().where(
            held.engineer_id == ENGINEERS.c.engineer_id, held.skill == skill, ~held.revoked, held.valid_until > moment
        ),
    )


async def _workers(tx: UnitOfWork, shifts: Mapping[UUID, Sequence[Window]], policy: Policy) -> list[Worker]:
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
