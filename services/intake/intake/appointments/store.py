"""Reading appointments, and storing a step with its clocks and what it says, in one transaction.

Whoever changes an appointment has locked its case first.
"""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from sqlalchemy import ColumnElement, insert, select, update

from intake.appointments.appointment import LIVE, Appointment
from intake.appointments.rules import Step
from intake.appointments.tables import APPOINTMENTS
from servicekit import deadlines

_COLUMNS = APPOINTMENTS.c


async def find(tx: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Raises Fault("appointment_unknown")."""
    found = await _select(tx, _COLUMNS.appointment_id == appointment_id)
    if not found:
        raise Fault("appointment_unknown", field="appointment_id")
    return found[0]


async def live_of_case(tx: UnitOfWork, case_id: UUID) -> Appointment | None:
    """The one appointment that a case may have at a time."""
    found = await _select(tx, _COLUMNS.case_id == case_id, _COLUMNS.state.in_(LIVE))
    return found[0] if found else None


async def of_case(tx: UnitOfWork, case_id: UUID) -> Sequence[Appointment]:
    """Every appointment of a case, newest first."""
    return await _select(tx, _COLUMNS.case_id == case_id)


async def add(tx: UnitOfWork, step: Step) -> Appointment:
    """Stores the first version."""
    await tx.execute(insert(APPOINTMENTS), step.after.model_dump())
    await _follow_up(tx, step, responsible="")
    return step.after


async def save(tx: UnitOfWork, before: Appointment, step: Step, *, responsible: str) -> Appointment:
    """Stores the next version. Raises Fault("stale_version") when it was changed since `before` was read.

    `responsible` answers for the clocks that start.
    """
    changed = {name: value for name, value in step.after.model_dump().items() if value != getattr(before, name)}
    seen = (_COLUMNS.appointment_id == before.appointment_id) & (_COLUMNS.version == before.version)
    if (await tx.execute(update(APPOINTMENTS).where(seen).values(changed))).rowcount != 1:
        raise Fault("stale_version", version=before.version)
    await _follow_up(tx, step, responsible=responsible)
    return step.after


async def _follow_up(tx: UnitOfWork, step: Step, *, responsible: str) -> None:
    subject, case_id = str(step.after.appointment_id), str(step.after.case_id)
    if step.cancels:
        await deadlines.cancel(tx, [subject], step.cancels)
    if step.meets:
        await deadlines.meet(tx, [subject], step.meets)
    starts = [
        Start(clock, subject, case_id=case_id, responsible=responsible, due_at=due_at)
        for clock, due_at in step.starts.items()
    ]
    await deadlines.start(tx, starts)
    if step.event is not None:
        tx.emit(step.event, version=step.after.version, case_id=case_id)
    if step.command is not None:
        tx.command(step.command, case_id=case_id)


async def _select(tx: UnitOfWork, *conditions: ColumnElement[bool]) -> list[Appointment]:
    statement = select(APPOINTMENTS).where(*conditions).order_by(_COLUMNS.appointment_id.desc())
    return [Appointment.model_validate(row._asdict()) for row in await tx.execute(statement)]
