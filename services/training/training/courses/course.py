"""A course in one version of it (TRN-01)."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

SELF_STUDY = "self_study"


class CourseContent(SQLModel):
    """What trainers write; the contract's CourseContent."""

    title: str
    # Topic of standards/classes.yaml.
    topic: str
    # Role that it is for.
    post: str
    level: str
    # The contract's LearningWay in lower case.
    ways: list[str] = Field(sa_type=ARRAY(Text))
    units: list[str] = Field(sa_type=ARRAY(Text))
    valid_until: datetime | None = Field(default=None, sa_type=UTC_TIME)


class Course(CourseContent):
    """One version as a value. `CourseRow` stores exactly these fields."""

    course_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    # User id of the trainer who answers for it.
    owner: str
    valid_from: datetime = Field(sa_type=UTC_TIME)
    superseded: bool = False

    def is_offered(self, now: datetime) -> bool:
        """Whether people may be assigned it."""
        return not self.superseded and (self.valid_until is None or now < self.valid_until)

    @property
    def needs_attendance(self) -> bool:
        """Whether it is learned not by reading alone."""
        return any(way != SELF_STUDY for way in self.ways)
