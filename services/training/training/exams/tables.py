"""Where exams, attempts, answers and marks are stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from training.exams.attempt import Attempt, State
from training.exams.exam import Exam


class ExamRow(Exam, table=True):
    """One exam."""

    __tablename__ = "exams"


class AttemptRow(Attempt, table=True):
    """One attempt; its row lock serialises handing in, marking and the clock."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("attempts_of_person", "person", "attempt_id"),
        Index("attempts_of_assignment", "assignment_id"),
        # Nobody sits two exams at once for one assignment.
        Index(
            "attempts_one_running",
            "assignment_id",
            "exam_id",
            unique=True,
            postgresql_where=text(f"state = '{State.RUNNING}'"),
        ),
    )


class AttemptQuestionRow(SQLModel, table=True):
    """A question of somebody's paper and the newest answer to it."""

    __tablename__ = "attempt_questions"
    __table_args__ = (Index("attempt_questions_of_question", "question_id"),)

    attempt_id: UUID = Field(primary_key=True, foreign_key="attempts.attempt_id")
    position: int = Field(primary_key=True)
    question_id: UUID
    points: int
    # The question with its key, as it was when the paper was drawn.
    question: dict[str, Any] = Field(sa_type=JSONB)
    shown: list[int] = Field(sa_type=ARRAY(SmallInteger))
    response: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    response_version: int = 0
    saved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    score: float | None = None


class EssayMarkRow(SQLModel, table=True):
    """One marker's view of one essay. Only ever added to."""

    __tablename__ = "essay_marks"

    attempt_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)
    # User id.
    marker: str = Field(primary_key=True)
    points: float
    comment: str = Field(sa_type=Text)
    marked_at: datetime = Field(sa_type=UTC_TIME)


EXAMS = ExamRow.__table__  # type: ignore[attr-defined]
ATTEMPTS = AttemptRow.__table__  # type: ignore[attr-defined]
ATTEMPT_QUESTIONS = AttemptQuestionRow.__table__  # type: ignore[attr-defined]
ESSAY_MARKS = EssayMarkRow.__table__  # type: ignore[attr-defined]
