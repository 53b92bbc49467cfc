"""Reading courses."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import or_, select

from training.courses.course import Course
from training.courses.tables import COURSES


async def get_course(tx: UnitOfWork, course_id: UUID, version: int = 0) -> Course:
    """The newest version, or the one asked for. Raises Fault course_unknown."""
    which = COURSES.c.version == version if version else ~COURSES.c.superseded
    row = (await tx.execute(select(COURSES).where(COURSES.c.course_id == course_id, which))).one_or_none()
    if row is None:
        raise Fault("course_unknown", field="course_id")
    return Course.model_validate(row._asdict())


async def list_courses(
    tx: UnitOfWork, *, topic: str, post: str, level: str, after: UUID | None, limit: int
) -> Sequence[Course]:
    """Newest versions by id; empty filters let everything through."""
    statement = select(COURSES).where(~COURSES.c.superseded)
    for column, wanted in ((COURSES.c.topic, topic), (COURSES.c.post, post), (COURSES.c.level, level)):
        if wanted:
            statement = statement.where(column == wanted)
    if after is not None:
        statement = statement.where(COURSES.c.course_id > after)
    statement = statement.order_by(COURSES.c.course_id).limit(limit)
    return [Course.model_validate(row._asdict()) for row in await tx.execute(statement)]


async def find_offered(tx: UnitOfWork, topic: str) -> Course | None:
    """The youngest course of a topic that people may be assigned; None when there is none."""
    columns = COURSES.c
    statement = (
        select(COURSES)
        .where(columns.topic == topic, ~columns.superseded)
        .where(or_(columns.valid_until.is_(None), columns.valid_until > tx.now))
        .order_by(columns.valid_from.desc(), columns.course_id.desc())
        .limit(1)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Course.model_validate(row._asdict())
