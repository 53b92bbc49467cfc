"""Reading question banks, their questions, and how these do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import select

from training.exams.attempt import FINISHED
from training.exams.tables import ATTEMPT_QUESTIONS, ATTEMPTS
from training.question_banks.question import Question
from training.question_banks.statistics import Figures, Outcome, figures_of
from training.question_banks.tables import BANKS, QUESTIONS, QuestionBank


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """A question's figures beside what it is called."""

    question_id: UUID
    name: str
    figures: Figures


async def get_bank(tx: UnitOfWork, bank_id: UUID) -> QuestionBank:
    """Raises Fault bank_unknown."""
    row = (await tx.execute(select(BANKS).where(BANKS.c.bank_id == bank_id))).one_or_none()
    if row is None:
        raise Fault("bank_unknown", field="bank_id")
    return QuestionBank.model_validate(row._asdict())


async def list_banks(tx: UnitOfWork, *, topic: str, after: UUID | None, limit: int) -> list[QuestionBank]:
    """By id; an empty topic is any."""
    statement = select(BANKS).order_by(BANKS.c.bank_id).limit(limit)
    if topic:
        statement = statement.where(BANKS.c.topic == topic)
    if after is not None:
        statement = statement.where(BANKS.c.bank_id > after)
    return [QuestionBank.model_validate(row._asdict()) for row in await tx.execute(statement)]


async def list_questions(
    tx: UnitOfWork, bank_id: UUID, *, after: UUID | None = None, limit: int | None = None
) -> Mapping[UUID, Question]:
    """What the bank holds now, by id."""
    statement = (
        select(QUESTIONS.c.question_id, QUESTIONS.c.content)
        .where(QUESTIONS.c.bank_id == bank_id, QUESTIONS.c.retired_in.is_(None))
        .order_by(QUESTIONS.c.question_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(QUESTIONS.c.question_id > after)
    return {row.question_id: Question.model_validate(row.content) for row in await tx.execute(statement)}


async def get_item_statistics(tx: UnitOfWork, bank_id: UUID) -> Sequence[ItemFigures]:
    """The figures of every question of the bank that was ever marked, by id. Raises Fault bank_unknown."""
    await get_bank(tx, bank_id)
    asked, attempts = ATTEMPT_QUESTIONS.c, ATTEMPTS.c
    whole_score, whole_points = attempts.score.label("whole_score"), attempts.points.label("whole_points")
    statement = (
        select(asked.question_id, QUESTIONS.c.content, asked.score, asked.points, whole_score, whole_points)
        .join_from(ATTEMPT_QUESTIONS, ATTEMPTS, attempts.attempt_id == asked.attempt_id)
        .join(QUESTIONS, QUESTIONS.c.question_id == asked.question_id)
        .where(QUESTIONS.c.bank_id == bank_id, attempts.state.in_(FINISHED))
        .order_by(asked.question_id)
    )
    outcomes: dict[UUID, list[Outcome]] = defaultdict(list)
    names: dict[UUID, str] = {}
    for row in await tx.execute(statement):
        others = row.whole_points - row.points
        rest = (row.whole_score - row.score) / others if others else 0.0
        outcomes[row.question_id].append(Outcome(row.score / row.points, rest))
        names[row.question_id] = row.content["name"]
    return [ItemFigures(question_id, names[question_id], figures_of(found)) for question_id, found in outcomes.items()]
