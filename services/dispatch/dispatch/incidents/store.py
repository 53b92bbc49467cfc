"""Reading an incident for a change, and storing a step with all that belongs to it, in one transaction."""

from typing import Any
from uuid import UUID

from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from sqlalchemy import ColumnElement, Select, bindparam, insert, select, update

from dispatch.incidents.incident import Incident
from dispatch.incidents.rules import Step
from dispatch.incidents.tables import HISTORY, INCIDENTS
from servicekit import deadlines

_INSERT = insert(INCIDENTS)
_INSERT_HISTORY = insert(HISTORY)
_UPDATE = update(INCIDENTS).where(
    INCIDENTS.c.incident_id == bindparam("id"), INCIDENTS.c.version == bindparam("version_before")
)


def names(reference: str) -> ColumnElement[bool]:
    """The condition for an incident's id or number. Raises Fault("case_number_invalid") for neither of them."""
    columns = INCIDENTS.c
    try:
        is_named: ColumnElement[bool] = columns.incident_id == UUID(reference)
    except ValueError:
        is_named = columns.incident_number == parse(reference, field="incident")
    return is_named


async def find(tx: UnitOfWork, reference: str) -> Incident:
    """The incident of an id or number. Raises Fault("incident_unknown")."""
    return await _one(tx, select(INCIDENTS).where(names(reference)))


async def lock(tx: UnitOfWork, reference: str) -> Incident:
    """The same, for this transaction alone: whoever else wants to change it waits."""
    return await _one(tx, select(INCIDENTS).where(names(reference)).with_for_update())


async def add(tx: UnitOfWork, step: Step, *, actor: str) -> Incident:
    """Stores the first version of an incident."""
    await tx.execute(_INSERT, step.after.model_dump())
    await _follow_up(tx, step, actor)
    return step.after


async def save(tx: UnitOfWork, before: Incident, step: Step, *, actor: str) -> Incident:
    """Stores the next version. Raises Fault("stale_version") when it was changed since `before` was read."""
    changed = {name: value for name, value in step.after.model_dump().items() if value != getattr(before, name)}
    where: dict[str, Any] = {"id": before.incident_id, "version_before": before.version}
    if (await tx.execute(_UPDATE.values(changed), where)).rowcount != 1:
        raise Fault("stale_version")
    await _follow_up(tx, step, actor)
    return step.after


async def _one(tx: UnitOfWork, statement: Select[Any]) -> Incident:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("incident_unknown")
    return Incident.model_validate(row._asdict())


async def _follow_up(tx: UnitOfWork, step: Step, actor: str) -> None:
    incident = step.after
    entry = {
        "incident_id": incident.incident_id,
        "version": incident.version,
        "at": tx.now,
        "happened": step.happened,
        "actor": actor,
        "state": incident.state,
        "details": dict(step.details),
    }
    await tx.execute(_INSERT_HISTORY, entry)
    subject = str(incident.incident_id)
    if step.cancels_all:
        await deadlines.cancel(tx, [subject])
    elif step.cancels:
        await deadlines.cancel(tx, [subject], step.cancels)
    if step.meets:
        await deadlines.meet(tx, [subject], step.meets)
    await deadlines.start(tx, [Start(clock, subject, responsible=incident.commander) for clock in step.starts])
    await deadlines.reassign(tx, subject, incident.commander)
    if step.event is not None:
        tx.emit(step.event, version=incident.version)
