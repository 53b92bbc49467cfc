"""Reading exams and attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import select

from servicekit import deadlines
from training.access import require_may_read, visible_person
from training.exams import store
from training.exams.attempt import AnsweredQuestion, Attempt, State
from training.exams.exam import Exam
from training.exams.tables import ATTEMPTS, EXAMS


@dataclass(frozen=True, slots=True)
class View:
    """An attempt with its paper and its clocks."""

    attempt: Attempt
    questions: Sequence[AnsweredQuestion]
    clocks: Sequence[Clock]


async def get_exam(tx: UnitOfWork, exam_id: UUID) -> Exam:
    """Raises Fault exam_unknown."""
    row = (await tx.execute(select(EXAMS).where(EXAMS.c.exam_id == exam_id))).one_or_none()
    if row is None:
        raise Fault("exam_unknown", field="exam_id")
    return Exam.model_validate(row._asdict())


async def list_exams(tx: UnitOfWork, *, course_id: UUID | None, after: UUID | None, limit: int) -> list[Exam]:
    """By id; without a course, of all."""
    statement = select(EXAMS).order_by(EXAMS.c.exam_id).limit(limit)
    if course_id is not None:
        statement = statement.where(EXAMS.c.course_id == course_id)
    if after is not None:
        statement = statement.where(EXAMS.c.exam_id > after)
    return [Exam.model_validate(row._asdict()) for row in await tx.execute(statement)]


async def get_attempt(tx: UnitOfWork, attempt_id: UUID, principal: Principal) -> View:
    """Raises Fault attempt_unknown or not_yours."""
    attempt = await store.find(tx, attempt_id)
    require_may_read(principal, attempt.person)
    return await describe(tx, attempt)


async def list_attempts(
    tx: UnitOfWork,
    principal: Principal,
    *,
    person: str,
    exam_id: UUID | None,
    state: State | None,
    before: UUID | None,
    limit: int,
) -> list[Attempt]:
    """Newest first, by id. Empty filters let everything through that the caller may see."""
    columns = ATTEMPTS.c
    statement = select(ATTEMPTS)
    if whose := visible_person(principal, person):
        statement = statement.where(columns.person == whose)
    if exam_id is not None:
        statement = statement.where(columns.exam_id == exam_id)
    if state is not None:
        statement = statement.where(columns.state == state)
    if before is not None:
        statement = statement.where(columns.attempt_id < before)
    rows = await tx.execute(statement.order_by(columns.attempt_id.desc()).limit(limit))
    return [Attempt.model_validate(row._asdict()) for row in rows]


async def describe(tx: UnitOfWork, attempt: Attempt) -> View:
    """The attempt with its paper and clocks."""
    subject = str(attempt.attempt_id)
    clocks = await deadlines.of(tx, [subject])
    return View(attempt, await store.questions_of(tx, attempt.attempt_id), clocks[subject])
