"""An assignment: somebody is to learn a course by a date (TRN-02, TRN-07)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


class State(StrEnum):
    """The words behind the contract's AssignmentState."""

    LEARNING = "learning"
    LEARNED = "learned"
    COMPLETED = "completed"


class Assignment(SQLModel):
    """An assignment as a value: what rules read and return. `AssignmentRow` stores exactly these fields."""

    assignment_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    # User id of whoever learns.
    person: str
    course_topic: str
    # None while there is no course of the topic.
    course_id: UUID | None = None
    course_version: int = 0
    reason: str = Field(sa_type=Text)
    # What gave rise to it: the id of a complaint, an exam, a drill; empty for a plan.
    source_id: str = ""
    assigned_by: str
    # The trainer who answers for it; empty while there is no course.
    owner: str = ""
    assigned_at: datetime = Field(sa_type=UTC_TIME)
    due_at: datetime = Field(sa_type=UTC_TIME)
    units_learned: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    progress_percent: int = 0
    # The contract's Attendance as JSON, oldest first.
    attendance: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    learned_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    completed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def has_attended(self) -> bool:
        return any(entry.get("attended") for entry in self.attendance)
