"""The life of an attempt: RUNNING → (MARKING →) PASSED or FAILED, and who may begin one (TRN-04). Pure.

A forbidden move raises Fault transition_forbidden.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from servicekit.errors import Fault

from training.assignments.assignment import Assignment
from training.assignments.assignment import State as AssignmentState
from training.exams.attempt import AnsweredQuestion, Attempt, State
from training.exams.exam import Exam
from training.exams.marking import percent_of


def require_may_begin(
    assignment: Assignment, earlier: Sequence[Attempt], *, attempts: int, retake_wait: timedelta, now: datetime
) -> None:
    """The retake rules. `earlier`: the same assignment's attempts at the exam, oldest first.

    Raises Fault training_not_learned, transition_forbidden, exam_attempts_used or exam_retake_too_early.
    """
    if assignment.state != AssignmentState.LEARNED:
        raise Fault("training_not_learned", state=assignment.state.value)
    if not earlier:
        return
    last = earlier[-1]
    if last.state != State.FAILED:
        raise Fault("transition_forbidden", action="start_attempt", state=last.state.value)
    if len(earlier) >= attempts:
        raise Fault("exam_attempts_used", attempts=attempts)
    if last.submitted_at is not None and now < last.submitted_at + retake_wait:
        raise Fault("exam_retake_too_early", allowed_at=last.submitted_at + retake_wait)


def require_takes_answers(attempt: Attempt, now: datetime) -> None:
    """Raises Fault exam_time_over once no answer is taken any more."""
    if attempt.state != State.RUNNING:
        raise Fault("transition_forbidden", action="save_answer", state=attempt.state.value)
    if now >= attempt.due_at:
        raise Fault("exam_time_over", due_at=attempt.due_at)


def hand_in(attempt: Attempt, now: datetime) -> Attempt:
    """No more answers. When the time was over before, it was the clock that ended it."""
    if attempt.state != State.RUNNING:
        raise Fault("transition_forbidden", action="submit_attempt", state=attempt.state.value)
    return _changed(
        attempt, state=State.MARKING, submitted_at=min(now, attempt.due_at), time_ran_out=now >= attempt.due_at
    )


def conclude(attempt: Attempt, exam: Exam, questions: Sequence[AnsweredQuestion], now: datetime) -> Attempt:
    """Every question has its score: passed or failed. The version stays that of the step which led here."""
    score = sum(question.score or 0.0 for question in questions)
    percent = percent_of(score, attempt.points)
    state = State.PASSED if percent >= exam.pass_percent else State.FAILED
    return attempt.model_copy(update={"state": state, "score": score, "percent": percent, "marked_at": now})


def take_mark(attempt: Attempt, question: AnsweredQuestion, points: float) -> Attempt:
    """Another view of an essay. Raises Fault mark_not_wanted or mark_too_high."""
    if attempt.state != State.MARKING:
        raise Fault("transition_forbidden", action="mark_answer", state=attempt.state.value)
    if question.score is not None:
        raise Fault("mark_not_wanted", field="position")
    if points > question.points:
        raise Fault("mark_too_high", field="points", points=question.points)
    return _changed(attempt)


def _changed(attempt: Attempt, **changes: Any) -> Attempt:
    return attempt.model_copy(update={"version": attempt.version + 1, **changes})
