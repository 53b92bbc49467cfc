"""Planning when engineers will be at work, and what ending a shift early does to appointments (DSP-05)."""

from uuid import UUID

from bihuan.dispatch.v1 import events_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.windows import Window
from sqlalchemy import delete, insert, select, update

from dispatch.engineers import store
from dispatch.engineers.queries import Profile, get_engineer
from dispatch.engineers.replanning import replan_engineer
from dispatch.engineers.shift import Shift
from dispatch.engineers.tables import SHIFTS
from dispatch.work_orders.placement import Placement, hold_waiting_line

SHIFT_CANCELLED = "shift_cancelled"


async def plan_shift(
    tx: UnitOfWork, engineer_id: UUID, shift: Window, *, key: CreationKey, principal: Principal
) -> Profile:
    """A further planned shift. Raises Fault shift_invalid for one that is over or never begins, shift_overlaps,
    engineer_unknown, domain_forbidden."""
    shift_id, new = await claim_id(tx, "plan_shift", key, principal)
    if not new:
        return await get_engineer(tx, engineer_id)
    if shift.start >= shift.end or shift.end <= tx.now:
        raise Fault("shift_invalid", field="valid_for")
    await hold_waiting_line(tx)
    engineer = await store.lock(tx, engineer_id)
    principal.require_region(engineer.territory)
    overlapping = select(SHIFTS.c.shift_id).where(
        SHIFTS.c.engineer_id == engineer_id, SHIFTS.c.starts_at < shift.end, SHIFTS.c.ends_at > shift.start
    )
    if (await tx.execute(overlapping)).first() is not None:
        raise Fault("shift_overlaps", field="valid_for", shift=str(shift))
    planned = Shift(shift_id=shift_id, engineer_id=engineer_id, starts_at=shift.start, ends_at=shift.end)
    await tx.execute(insert(SHIFTS), planned.model_dump())
    engineer = await store.change(tx, engineer)
    event = events_pb2.EngineerShiftPlanned(engineer_id=str(engineer_id), shift=shift.message())
    tx.emit(event, version=engineer.version)
    return await get_engineer(tx, engineer_id)


async def cancel_shift(
    tx: UnitOfWork, engineer_id: UUID, shift_id: UUID, *, principal: Principal, placement: Placement
) -> Profile:
    """They will not be at work then: appointments go to others, or are offered another time.

    Raises Fault shift_unknown, engineer_unknown, domain_forbidden.
    """
    await hold_waiting_line(tx)
    engineer = await store.lock(tx, engineer_id)
    principal.require_region(engineer.territory)
    statement = delete(SHIFTS).where(SHIFTS.c.shift_id == shift_id, SHIFTS.c.engineer_id == engineer_id)
    row = (await tx.execute(statement.returning(*SHIFTS.c))).one_or_none()
    if row is None:
        raise Fault("shift_unknown", field="shift_id")
    engineer = await store.change(tx, engineer)
    cancelled = Window(row.starts_at, row.ends_at)
    event = events_pb2.EngineerShiftCancelled(engineer_id=str(engineer_id), shift=cancelled.message())
    tx.emit(event, version=engineer.version)
    await replan_engineer(tx, engineer_id, placement, because=SHIFT_CANCELLED, actor=principal.actor)
    return await get_engineer(tx, engineer_id)


async def end_running_shift(tx: UnitOfWork, engineer_id: UUID) -> None:
    """They go home before the planned end: what is left of the shift offers nothing any more."""
    columns = SHIFTS.c
    running = (columns.engineer_id == engineer_id) & (columns.starts_at <= tx.now) & (columns.ends_at > tx.now)
    await tx.execute(update(SHIFTS).where(running).values(ends_at=tx.now))
