"""Reading assignments."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from sqlalchemy import select

from servicekit import deadlines
from training.access import require_may_read, visible_person
from training.assignments import store
from training.assignments.assignment import Assignment, State
from training.assignments.tables import ASSIGNMENTS


@dataclass(frozen=True, slots=True)
class View:
    """An assignment with its clocks."""

    assignment: Assignment
    clocks: list[Clock]


async def get_assignment(tx: UnitOfWork, assignment_id: UUID, principal: Principal) -> View:
    """Raises Fault assignment_unknown or not_yours."""
    assignment = await store.find(tx, assignment_id)
    require_may_read(principal, assignment.person)
    return (await describe(tx, [assignment]))[0]


async def list_assignments(
    tx: UnitOfWork, principal: Principal, *, person: str, state: State | None, before: UUID | None, limit: int
) -> list[View]:
    """Newest first, by id. Empty filters let everything through that the caller may see."""
    columns = ASSIGNMENTS.c
    statement = select(ASSIGNMENTS)
    if whose := visible_person(principal, person):
        statement = statement.where(columns.person == whose)
    if state is not None:
        statement = statement.where(columns.state == state)
    if before is not None:
        statement = statement.where(columns.assignment_id < before)
    rows = await tx.execute(statement.order_by(columns.assignment_id.desc()).limit(limit))
    return await describe(tx, [Assignment.model_validate(row._asdict()) for row in rows])


async def describe(tx: UnitOfWork, assignments: Sequence[Assignment]) -> list[View]:
    """The assignments with their clocks."""
    clocks = await deadlines.of(tx, [str(assignment.assignment_id) for assignment in assignments])
    return [View(assignment, clocks[str(assignment.assignment_id)]) for assignment in assignments]
