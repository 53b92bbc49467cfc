"""Where assignments are stored."""

from sqlalchemy import Index, text

from training.assignments.assignment import Assignment, State


class AssignmentRow(Assignment, table=True):
    """One assignment."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("assignments_of_person", "person", "assignment_id"),
        # A new course looks here for those who wait for one of its topic.
        Index(
            "assignments_without_course",
            "course_topic",
            postgresql_where=text(f"course_id IS NULL AND state = '{State.LEARNING}'"),
        ),
    )


ASSIGNMENTS = AssignmentRow.__table__  # type: ignore[attr-defined]
