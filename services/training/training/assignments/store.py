"""Reading an assignment for a change, and storing what it has become, in one transaction."""

from typing import Any
from uuid import UUID

from bihuan.training.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from sqlalchemy import Select, insert, select, update

from servicekit import deadlines
from training.assignments.assignment import Assignment, State
from training.assignments.tables import ASSIGNMENTS
from training.policy import TRAINING_DUE


async def find(tx: UnitOfWork, assignment_id: UUID) -> Assignment:
    """Raises Fault assignment_unknown."""
    return await _one(tx, select(ASSIGNMENTS).where(ASSIGNMENTS.c.assignment_id == assignment_id))


async def lock(tx: UnitOfWork, assignment_id: UUID, expected_version: int = 0) -> Assignment:
    """The same, for this transaction alone. Raises also stale_version, unless any version will do (0)."""
    statement = select(ASSIGNMENTS).where(ASSIGNMENTS.c.assignment_id == assignment_id).with_for_update()
    assignment = await _one(tx, statement)
    if expected_version not in {0, assignment.version}:
        raise Fault("stale_version")
    return assignment


async def add(tx: UnitOfWork, assignment: Assignment) -> None:
    """Stores a new one, starts its clock and tells of it."""
    subject = str(assignment.assignment_id)
    await tx.execute(insert(ASSIGNMENTS), assignment.model_dump())
    clock = Start(TRAINING_DUE, subject, responsible=assignment.person, due_at=assignment.due_at)
    await deadlines.start(tx, [clock])
    assigned = events_pb2.TrainingAssigned(
        assignment_id=subject,
        person=assignment.person,
        course_topic=assignment.course_topic,
        course_id=str(assignment.course_id or ""),
        source_id=assignment.source_id,
        due_at=assignment.due_at,
    )
    tx.emit(assigned, version=assignment.version)


async def save(tx: UnitOfWork, before: Assignment, after: Assignment) -> Assignment:
    """Stores the next version of a locked assignment, and tells when it has come further."""
    changed = {name: value for name, value in after.model_dump().items() if value != getattr(before, name)}
    await tx.execute(update(ASSIGNMENTS).where(ASSIGNMENTS.c.assignment_id == before.assignment_id).values(changed))
    if before.state != after.state:
        facts: dict[str, Any] = {
            "assignment_id": str(after.assignment_id),
            "person": after.person,
            "course_id": str(after.course_id),
        }
        if after.state == State.LEARNED:
            tx.emit(events_pb2.TrainingLearned(**facts), version=after.version)
        else:
            await deadlines.meet(tx, [str(after.assignment_id)], [TRAINING_DUE])
            tx.emit(events_pb2.TrainingCompleted(**facts, source_id=after.source_id), version=after.version)
    return after


async def _one(tx: UnitOfWork, statement: Select[Any]) -> Assignment:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("assignment_unknown")
    return Assignment.model_validate(row._asdict())
