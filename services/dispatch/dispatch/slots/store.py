"""Reading reservations, and storing a step with its event and its clock, in one transaction.

Whoever plans slots holds the waiting line (work_orders/placement.py), so nobody else plans at the same time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from sqlalchemy import ColumnElement, insert, select, update

from dispatch.policy import SLOT_HOLD
from dispatch.slots.reservation import LIVE, Reservation, State
from dispatch.slots.rules import Step
from dispatch.slots.tables import RESERVATIONS
from servicekit import deadlines

_COLUMNS = RESERVATIONS.c
_IS_LIVE = _COLUMNS.state.in_(LIVE)


async def find(tx: UnitOfWork, reservation_id: UUID) -> Reservation:
    """Raises Fault("reservation_unknown")."""
    found = await _select(tx, _COLUMNS.reservation_id == reservation_id)
    if not found:
        raise Fault("reservation_unknown", field="reservation_id")
    return found[0]


async def lock(tx: UnitOfWork, reservation_id: UUID) -> Reservation:
    """The same, for this transaction alone. Raises Fault("reservation_unknown")."""
    found = await _select(tx, _COLUMNS.reservation_id == reservation_id, lock=True)
    if not found:
        raise Fault("reservation_unknown", field="reservation_id")
    return found[0]


async def live_in(tx: UnitOfWork, starts: Iterable[datetime], engineer_ids: Iterable[UUID]) -> list[Reservation]:
    """Everything that takes up these engineers' time in the slots that begin at these moments."""
    return await _select(
        tx, _IS_LIVE, _COLUMNS.window_start.in_(list(starts)), _COLUMNS.engineer_id.in_(list(engineer_ids))
    )


async def lock_live_of_engineer(tx: UnitOfWork, engineer_id: UUID) -> Sequence[Reservation]:
    """What an engineer is planned for and has not ended, the nearest first."""
    return await _select(tx, _IS_LIVE, _COLUMNS.engineer_id == engineer_id, lock=True)


async def lock_holds(tx: UnitOfWork, *, case_id: UUID, customer: str = "") -> Sequence[Reservation]:
    """What is held for a case; where a customer is named, what they hold themselves, for whichever case."""
    whose = _COLUMNS.held_by == customer if customer else _COLUMNS.case_id == case_id
    return await _select(tx, _COLUMNS.state == State.HELD, whose, lock=True)


async def lock_live_of_work_order(tx: UnitOfWork, work_order_id: UUID) -> Reservation | None:
    """The reservation that a work order's appointed time rests on, while it does."""
    found = await _select(tx, _IS_LIVE, _COLUMNS.work_order_id == work_order_id, lock=True)
    return found[0] if found else None


async def add(tx: UnitOfWork, step: Step) -> Reservation:
    """Stores the first version, with the clock that ends it."""
    held = step.after
    await tx.execute(insert(RESERVATIONS), held.model_dump())
    subject, case_id = str(held.reservation_id), str(held.case_id)
    await deadlines.start(tx, [Start(SLOT_HOLD, subject, case_id=case_id, due_at=held.held_until)])
    tx.emit(step.event, version=held.version, case_id=case_id)
    return held


async def save(tx: UnitOfWork, before: Reservation, step: Step) -> Reservation:
    """Stores the next version. Raises Fault("stale_version") when it was changed since `before` was read."""
    after = step.after
    changed = {name: value for name, value in after.model_dump().items() if value != getattr(before, name)}
    statement = update(RESERVATIONS).where(
        _COLUMNS.reservation_id == before.reservation_id, _COLUMNS.version == before.version
    )
    if (await tx.execute(statement.values(changed))).rowcount != 1:
        raise Fault("stale_version")
    if before.state == State.HELD and after.state not in {State.HELD, State.EXPIRED}:
        # Booked in time, the hold has done its work; given back, it is no longer needed. An expired one is over.
        end = deadlines.meet if after.state == State.BOOKED else deadlines.cancel
        await end(tx, [str(before.reservation_id)], [SLOT_HOLD])
    tx.emit(step.event, version=after.version, case_id=str(after.case_id))
    return after


async def _select(tx: UnitOfWork, *conditions: ColumnElement[bool], lock: bool = False) -> list[Reservation]:
    statement = select(RESERVATIONS).where(*conditions).order_by(_COLUMNS.window_start, _COLUMNS.reservation_id)
    if lock:
        statement = statement.with_for_update()
    return [Reservation.model_validate(row._asdict()) for row in await tx.execute(statement)]
