"""From the paper handed in to the result: what machines mark, what markers add, and what a pass brings (TRN-04)."""

from collections.abc import Sequence
from uuid import UUID

from bihuan.training.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import insert, select

from servicekit import deadlines
from training.assignments.commands import complete_by_exam
from training.certificates.commands import issue_certificate
from training.certificates.signing import CertificateSigner
from training.exams import rules, store
from training.exams.attempt import AnsweredQuestion, Attempt, State
from training.exams.marking import agreed_score, needs_markers, score_of
from training.exams.queries import get_exam
from training.exams.tables import ESSAY_MARKS
from training.policy import EXAM_MARKING, EXAM_TIME, Policy


async def mark_by_machine(tx: UnitOfWork, attempt: Attempt, signer: CertificateSigner) -> Attempt:
    """Scores all that needs no marker. Without essays the result is there at once; else the markers' clock starts."""
    subject = str(attempt.attempt_id)
    await deadlines.meet(tx, [subject], [EXAM_TIME])
    questions = [
        asked if needs_markers(asked, asked.response) else _scored(asked, score_of(asked, asked.response))
        for asked in await store.questions_of(tx, attempt.attempt_id)
    ]
    await store.save_scores(tx, attempt.attempt_id, questions)
    if all(asked.score is not None for asked in questions):
        return await _conclude(tx, attempt, questions, signer)
    await store.save(tx, attempt)
    await deadlines.start(tx, [Start(EXAM_MARKING, subject)])
    submitted = events_pb2.ExamAttemptSubmitted(
        attempt_id=subject, exam_id=str(attempt.exam_id), person=attempt.person, time_ran_out=attempt.time_ran_out
    )
    tx.emit(submitted, version=attempt.version)
    return attempt


async def mark_answer(
    tx: UnitOfWork,
    attempt_id: UUID,
    position: int,
    *,
    points: float,
    comment: str,
    principal: Principal,
    policy: Policy,
    signer: CertificateSigner,
) -> Attempt:
    """One marker's view of an essay. The same view again changes nothing; the last one needed brings the result.

    Raises Fault attempt_unknown, position_unknown, transition_forbidden, mark_not_wanted, mark_too_high, mark_given for
    somebody's second view, or own_work for the candidate's.
    """
    attempt = await store.lock(tx, attempt_id)
    if principal.user_id == attempt.person:
        raise Fault("own_work")
    asked = await store.lock_question(tx, attempt_id, position)
    marks = await _marks_of(tx, attempt_id, position)
    if principal.user_id in marks:
        if marks[principal.user_id] == points:
            return attempt
        raise Fault("mark_given", field="position")
    attempt = rules.take_mark(attempt, asked, points)
    mark = {
        "attempt_id": attempt_id,
        "position": position,
        "marker": principal.user_id,
        "points": points,
        "comment": comment,
        "marked_at": tx.now,
    }
    await tx.execute(insert(ESSAY_MARKS), mark)
    views = [*marks.values(), points]
    score = agreed_score(views, asked.points, apart_percent=policy.markers_apart_percent)
    if score is not None:
        await store.save_scores(tx, attempt_id, [_scored(asked, score)])
    questions = await store.questions_of(tx, attempt_id)
    if all(question.score is not None for question in questions):
        await deadlines.meet(tx, [str(attempt_id)], [EXAM_MARKING])
        return await _conclude(tx, attempt, questions, signer)
    await store.save(tx, attempt)
    return attempt


async def _conclude(
    tx: UnitOfWork, attempt: Attempt, questions: Sequence[AnsweredQuestion], signer: CertificateSigner
) -> Attempt:
    exam = await get_exam(tx, attempt.exam_id)
    attempt = rules.conclude(attempt, exam, questions, tx.now)
    if attempt.state == State.PASSED:
        await complete_by_exam(tx, attempt.assignment_id)
        if exam.skill:
            certificate = await issue_certificate(tx, exam, attempt, signer)
            attempt = attempt.model_copy(update={"certificate_number": certificate.number})
    await store.save(tx, attempt)
    marked = events_pb2.ExamAttemptMarked(
        attempt_id=str(attempt.attempt_id),
        exam_id=str(attempt.exam_id),
        person=attempt.person,
        passed=attempt.state == State.PASSED,
        percent=attempt.percent,
        time_ran_out=attempt.time_ran_out,
    )
    tx.emit(marked, version=attempt.version)
    return attempt


def _scored(asked: AnsweredQuestion, score: float) -> AnsweredQuestion:
    return asked.model_copy(update={"score": score})


async def _marks_of(tx: UnitOfWork, attempt_id: UUID, position: int) -> dict[str, float]:
    """Points by marker, in the order in which they were given."""
    columns = ESSAY_MARKS.c
    where = (columns.attempt_id == attempt_id, columns.position == position)
    statement = select(columns.marker, columns.points).where(*where).order_by(columns.marked_at, columns.marker)
    return {row.marker: row.points for row in await tx.execute(statement)}
