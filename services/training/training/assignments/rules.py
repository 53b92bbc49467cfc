"""The life of an assignment: LEARNING → LEARNED → COMPLETED (TRN-02). Pure.

Each function takes what was and returns what is, with the next version. A forbidden move raises Fault
transition_forbidden.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from servicekit.errors import Fault

from training.assignments.assignment import Assignment, State
from training.courses.course import Course

WHOLE = 100


def learn_units(assignment: Assignment, course: Course, units: Sequence[str], now: datetime) -> Assignment:
    """Units that are learned now. Learned again, they change nothing. Raises Fault unit_unknown."""
    _require(assignment, "record_progress", State.LEARNING)
    for unit in units:
        if unit not in course.units:
            raise Fault("unit_unknown", field="units", unit=unit)
    # In the order of the course, each once.
    learned = [unit for unit in course.units if unit in units or unit in assignment.units_learned]
    percent = len(learned) * WHOLE // len(course.units)
    return _settled(_changed(assignment, units_learned=learned, progress_percent=percent), course, now)


def attend(assignment: Assignment, course: Course, entry: dict[str, Any], now: datetime) -> Assignment:
    """Somebody was there, or was not. Raises Fault way_unfit for a way that the course is not learned by."""
    _require(assignment, "record_attendance", State.LEARNING)
    if entry["way"] not in course.ways:
        raise Fault("way_unfit", field="attendance.way", way=entry["way"])
    return _settled(_changed(assignment, attendance=[*assignment.attendance, entry]), course, now)


def complete(assignment: Assignment, now: datetime) -> Assignment:
    """The exam is passed, or there is none to take."""
    _require(assignment, "complete", State.LEARNED)
    return _changed(assignment, state=State.COMPLETED, completed_at=now)


def give_course(assignment: Assignment, course: Course) -> Assignment:
    """What waited for a course of its topic has one now."""
    return _changed(assignment, course_id=course.course_id, course_version=course.version, owner=course.owner)


def _settled(assignment: Assignment, course: Course, now: datetime) -> Assignment:
    """Learned, once every unit is, and they were there if that is asked for."""
    if assignment.progress_percent < WHOLE or (course.needs_attendance and not assignment.has_attended):
        return assignment
    return assignment.model_copy(update={"state": State.LEARNED, "learned_at": now})


def _require(assignment: Assignment, action: str, state: State) -> None:
    if assignment.state != state:
        raise Fault("transition_forbidden", action=action, state=assignment.state.value)
    if assignment.course_id is None:
        raise Fault("course_missing", topic=assignment.course_topic)


def _changed(assignment: Assignment, **changes: Any) -> Assignment:
    return assignment.model_copy(update={"version": assignment.version + 1, **changes})
