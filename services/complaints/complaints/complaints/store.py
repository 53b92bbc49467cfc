"""Reading complaints, and storing what the rules decided with all that belongs to it, in one transaction."""

from typing import Any
from uuid import UUID

from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.ids import uuid7
from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from complaints.complaints.complaint import Complaint
from complaints.complaints.steps import Step
from complaints.complaints.tables import COMPLAINTS, HISTORY
from servicekit import deadlines

_INSERT = insert(COMPLAINTS)
_INSERT_HISTORY = insert(HISTORY)
_UPDATE = update(COMPLAINTS).where(
    COMPLAINTS.c.complaint_id == bindparam("id"), COMPLAINTS.c.version == bindparam("version_before")
)


def names(reference: str) -> ColumnElement[bool]:
    """The condition for a complaint's id or number. Raises Fault("case_number_invalid") for neither of them."""
    try:
        return COMPLAINTS.c.complaint_id == UUID(reference)
    except ValueError:
        return COMPLAINTS.c.complaint_number == parse(reference, field="complaint")


async def find(tx: UnitOfWork, reference: str) -> Complaint:
    """The complaint of an id or number. Raises Fault("complaint_unknown")."""
    return await _one(tx, reference, lock=False)


async def lock(tx: UnitOfWork, reference: str) -> Complaint:
    """The same, for this transaction alone: whoever else wants to change it waits."""
    return await _one(tx, reference, lock=True)


async def lock_if_known(tx: UnitOfWork, complaint_id: str) -> Complaint | None:
    """The same; None where there is none of this id."""
    try:
        return await lock(tx, complaint_id)
    except Fault as fault:
        if fault.code == "complaint_unknown":
            return None
        raise


def complaint_of(row: Any) -> Complaint:
    """A row of `complaints` as a value."""
    return Complaint.model_validate(row._asdict())


async def add(tx: UnitOfWork, step: Step, *, actor: str) -> Complaint:
    """Stores the first version of a complaint."""
    await tx.execute(_INSERT, step.after.model_dump())
    await _follow_up(tx, step, actor)
    return step.after


async def save(tx: UnitOfWork, before: Complaint, step: Step, *, actor: str) -> Complaint:
    """Stores the next version of a locked complaint. Raises Fault("stale_version") when it moved on."""
    changes = {name: value for name, value in step.after.model_dump().items() if value != getattr(before, name)}
    if changes:
        where = {"id": before.complaint_id, "version_before": before.version}
        if (await tx.execute(_UPDATE.values(changes), where)).rowcount != 1:
            raise Fault("stale_version")
    await _follow_up(tx, step, actor)
    if step.after.responsible != before.responsible:
        await deadlines.reassign(tx, str(before.complaint_id), step.after.responsible)
    return step.after


async def _one(tx: UnitOfWork, reference: str, *, lock: bool) -> Complaint:
    statement = select(COMPLAINTS).where(names(reference))
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        raise Fault("complaint_unknown", complaint=reference)
    return complaint_of(row)


async def _follow_up(tx: UnitOfWork, step: Step, actor: str) -> None:
    after = step.after
    await tx.execute(
        _INSERT_HISTORY,
        {
            "at": tx.now,
            "entry_id": uuid7(),
            "complaint_id": after.complaint_id,
            "happened": step.happened,
            "actor": actor,
            "stage": after.stage.value,
            "details": dict(step.details),
            "version": after.version,
        },
    )
    for row in step.rows:
        await _put(tx, row)
    subject, case_id = str(after.complaint_id), str(after.case_id or after.complaint_id)
    if step.cancels_all:
        await deadlines.cancel(tx, [subject])
    elif step.cancels:
        await deadlines.cancel(tx, [subject], step.cancels)
    starts = [Start(clock, subject, case_id=case_id, responsible=after.responsible) for clock in step.starts]
    await deadlines.start(tx, starts, at=step.starts_at)
    if step.meets:
        await deadlines.meet(tx, [subject], step.meets)
    for event in step.events:
        tx.emit(event, version=after.version, case_id=case_id)
    for command in step.commands:
        tx.command(command, case_id=case_id)


async def _put(tx: UnitOfWork, row: SQLModel) -> None:
    """Adds the row, or replaces the one with its key."""
    table, values = row.metadata.tables[str(row.__tablename__)], row.model_dump()
    statement = postgresql.insert(table).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values))
