"""Where courses are stored: every version of each."""

from sqlalchemy import Index, text

from training.courses.course import Course


class CourseRow(Course, table=True):
    """One version of a course. Earlier ones stay: people have learned by them."""

    __tablename__ = "courses"
    __table_args__ = (
        Index("courses_newest", "course_id", unique=True, postgresql_where=text("NOT superseded")),
        Index("courses_of_topic", "topic", "course_id"),
    )


COURSES = CourseRow.__table__  # type: ignore[attr-defined]
