"""An exam as it is planned: its blueprint, its limits, and what a pass is worth (TRN-04)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from training.exams.paper import Section


class Exam(SQLModel):
    """An exam as a value; it never changes, because people were judged by it. `ExamRow` stores exactly these fields."""

    exam_id: UUID = Field(primary_key=True)
    title: str
    course_id: UUID = Field(index=True)
    bank_id: UUID
    # Sections as JSON.
    blueprint: list[dict[str, Any]] = Field(sa_type=JSONB)
    time_limit_minutes: int
    pass_percent: int
    # What a pass certifies; an empty skill: nothing.
    skill: str = ""
    level: str = ""
    certificate_days: int
    owner: str
    created_at: datetime = Field(sa_type=UTC_TIME)

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(Section.model_validate(section) for section in self.blueprint)
