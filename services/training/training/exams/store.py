"""Reading an attempt for a change, and storing it with its questions, in one transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import Select, bindparam, insert, select, update

from training.exams.attempt import AnsweredQuestion, Attempt
from training.exams.paper import PaperQuestion
from training.exams.tables import ATTEMPT_QUESTIONS, ATTEMPTS

_BY_ID = select(ATTEMPTS).where(ATTEMPTS.c.attempt_id == bindparam("id"))
_QUESTIONS = select(ATTEMPT_QUESTIONS).where(ATTEMPT_QUESTIONS.c.attempt_id == bindparam("id"))
_SCORE = (
    update(ATTEMPT_QUESTIONS)
    .where(ATTEMPT_QUESTIONS.c.attempt_id == bindparam("id"), ATTEMPT_QUESTIONS.c.position == bindparam("place"))
    .values(score=bindparam("reached"))
)


async def find(tx: UnitOfWork, attempt_id: UUID) -> Attempt:
    """Raises Fault attempt_unknown."""
    return await _one(tx, _BY_ID, attempt_id)


async def lock(tx: UnitOfWork, attempt_id: UUID, expected_version: int = 0) -> Attempt:
    """The same, for this transaction alone. Raises also stale_version, unless any version will do (0)."""
    attempt = await _one(tx, _BY_ID.with_for_update(), attempt_id)
    if expected_version not in {0, attempt.version}:
        raise Fault("stale_version")
    return attempt


async def share(tx: UnitOfWork, attempt_id: UUID) -> Attempt:
    """The same, beside others who only save answers; nobody hands it in meanwhile."""
    return await _one(tx, _BY_ID.with_for_update(read=True), attempt_id)


async def add(tx: UnitOfWork, attempt: Attempt, paper: Sequence[PaperQuestion]) -> None:
    await tx.execute(insert(ATTEMPTS), attempt.model_dump())
    rows = [
        {"attempt_id": attempt.attempt_id, **asked.model_dump(), "question": asked.question.model_dump(mode="json")}
        for asked in paper
    ]
    await tx.execute(insert(ATTEMPT_QUESTIONS), rows)


async def save(tx: UnitOfWork, attempt: Attempt) -> None:
    """Stores the next state of a locked attempt."""
    values = attempt.model_dump(exclude={"attempt_id"})
    await tx.execute(update(ATTEMPTS).where(ATTEMPTS.c.attempt_id == attempt.attempt_id).values(values))


async def questions_of(tx: UnitOfWork, attempt_id: UUID) -> list[AnsweredQuestion]:
    """The paper with the answers saved so far, in the paper's order."""
    rows = await tx.execute(_QUESTIONS.order_by(ATTEMPT_QUESTIONS.c.position), {"id": attempt_id})
    return [_question(row) for row in rows]


async def lock_question(tx: UnitOfWork, attempt_id: UUID, position: int) -> AnsweredQuestion:
    """One question of a paper, for this transaction alone. Raises Fault position_unknown."""
    statement = _QUESTIONS.where(ATTEMPT_QUESTIONS.c.position == position).with_for_update()
    row = (await tx.execute(statement, {"id": attempt_id})).one_or_none()
    if row is None:
        raise Fault("position_unknown", field="position", position=position)
    return _question(row)


async def save_answer(tx: UnitOfWork, attempt_id: UUID, answered: AnsweredQuestion) -> None:
    """Stores the newest answer to a locked question."""
    columns = ATTEMPT_QUESTIONS.c
    values = {
        "response": None if answered.response is None else answered.response.model_dump(mode="json"),
        "response_version": answered.response_version,
        "saved_at": answered.saved_at,
    }
    where = (columns.attempt_id == attempt_id, columns.position == answered.position)
    await tx.execute(update(ATTEMPT_QUESTIONS).where(*where).values(values))


async def save_scores(tx: UnitOfWork, attempt_id: UUID, questions: Sequence[AnsweredQuestion]) -> None:
    rows = [{"id": attempt_id, "place": question.position, "reached": question.score} for question in questions]
    await tx.execute(_SCORE, rows)


async def _one(tx: UnitOfWork, statement: Select[Any], attempt_id: UUID) -> Attempt:
    row = (await tx.execute(statement, {"id": attempt_id})).one_or_none()
    if row is None:
        raise Fault("attempt_unknown", field="attempt_id")
    return Attempt.model_validate(row._asdict())


def _question(row: Any) -> AnsweredQuestion:
    fields = row._asdict()
    del fields["attempt_id"]
    return AnsweredQuestion.model_validate(fields)
