"""Those who were assigned a topic before there was a course of it get the first one (TRN-07)."""

from servicekit.database import UnitOfWork
from sqlalchemy import select

from training.assignments import rules, store
from training.assignments.assignment import Assignment, State
from training.assignments.tables import ASSIGNMENTS
from training.courses.course import Course


async def take_up_waiting(tx: UnitOfWork, course: Course) -> None:
    """The caller holds the catalogue."""
    columns = ASSIGNMENTS.c
    waiting = (
        select(ASSIGNMENTS)
        .where(columns.course_topic == course.topic, columns.course_id.is_(None), columns.state == State.LEARNING)
        .order_by(columns.assignment_id)
        .with_for_update()
    )
    for row in (await tx.execute(waiting)).all():
        assignment = Assignment.model_validate(row._asdict())
        await store.save(tx, assignment, rules.give_course(assignment, course))
