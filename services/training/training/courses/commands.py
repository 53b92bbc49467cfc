"""Writing and revising courses: each function is one use case in one transaction (TRN-01)."""

from uuid import UUID

from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import insert, select, text, update

from training.assignments.taking_up import take_up_waiting
from training.courses.course import Course, CourseContent
from training.courses.queries import get_course
from training.courses.tables import COURSES
from training.policy import Policy

# Any constant will do; the lock is per database.
_CATALOGUE = text("SELECT pg_advisory_xact_lock(7209116001)")


async def hold_catalogue(tx: UnitOfWork) -> None:
    """Waits for its turn and keeps it until the transaction ends: an assignment by topic and the topic's first course
    must not miss each other."""
    await tx.execute(_CATALOGUE)


async def create_course(
    tx: UnitOfWork, content: CourseContent, *, key: CreationKey, principal: Principal, policy: Policy
) -> Course:
    """A new course, owned by whoever writes it. Those who wait for one of its topic get it.

    The same key gives the same course again. Raises Fault topic_unknown, post_unknown, level_unknown or
    time_past.
    """
    _require_sound(tx, content, policy)
    course_id, is_new = await claim_id(tx, "create_course", key, principal)
    if not is_new:
        return await get_course(tx, course_id)
    await hold_catalogue(tx)
    course = Course(**content.model_dump(), course_id=course_id, version=1, owner=principal.user_id, valid_from=tx.now)
    await tx.execute(insert(COURSES), course.model_dump())
    await take_up_waiting(tx, course)
    return course


async def revise_course(
    tx: UnitOfWork,
    course_id: UUID,
    content: CourseContent,
    *,
    expected_version: int,
    principal: Principal,
    policy: Policy,
) -> Course:
    """The next version. Who has begun with an earlier one goes on with that.

    Raises Fault course_unknown or stale_version, and as `create_course`.
    """
    _require_sound(tx, content, policy)
    newest = (COURSES.c.course_id == course_id, ~COURSES.c.superseded)
    row = (await tx.execute(select(COURSES).where(*newest).with_for_update())).one_or_none()
    if row is None:
        raise Fault("course_unknown", field="course_id")
    if expected_version not in {0, row.version}:
        raise Fault("stale_version")
    await tx.execute(update(COURSES).where(*newest).values(superseded=True))
    course = Course(
        **content.model_dump(),
        course_id=course_id,
        version=row.version + 1,
        owner=principal.user_id,
        valid_from=tx.now,
    )
    await tx.execute(insert(COURSES), course.model_dump())
    return course


def _require_sound(tx: UnitOfWork, content: CourseContent, policy: Policy) -> None:
    policy.require_topic(content.topic, "content.topic")
    policy.require_post(content.post, "content.post")
    policy.require_level(content.level, "content.level")
    if content.valid_until is not None and content.valid_until <= tx.now:
        raise Fault("time_past", field="content.valid_until")
