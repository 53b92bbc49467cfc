"""One sitting of an exam by one person, and its answers (TRN-04)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from training.exams.paper import PaperQuestion, Response


class State(StrEnum):
    """The words behind the contract's AttemptState."""

    RUNNING = "running"
    MARKING = "marking"
    PASSED = "passed"
    FAILED = "failed"


FINISHED = frozenset({State.PASSED, State.FAILED})


class Attempt(SQLModel):
    """An attempt as a value: what rules read and return. `AttemptRow` stores exactly these fields."""

    attempt_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    exam_id: UUID
    assignment_id: UUID
    # User id of the candidate.
    person: str
    # 1 for the first try of an assignment.
    number: int
    # Points that the paper is worth, and those reached.
    points: int
    score: float = 0.0
    percent: float = 0.0
    started_at: datetime = Field(sa_type=UTC_TIME)
    # No answer is taken afterwards.
    due_at: datetime = Field(sa_type=UTC_TIME)
    submitted_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    time_ran_out: bool = False
    marked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    certificate_number: str = ""


class AnsweredQuestion(PaperQuestion):
    """A question of a paper with what has become of it."""

    response: Response | None = None
    # Grows with every save; 0 before the first one.
    response_version: int = 0
    saved_at: datetime | None = None
    # None until it is marked.
    score: float | None = None
