"""Sitting an exam: beginning, saving answers one by one, handing in. Each function is one use case (TRN-04)."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

from bihuan.training.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import select

from servicekit import deadlines
from training.access import require_self
from training.assignments.assignment import Assignment, State
from training.assignments.tables import ASSIGNMENTS
from training.certificates.signing import CertificateSigner
from training.exams import rules, store
from training.exams.attempt import AnsweredQuestion, Attempt
from training.exams.attempt import State as AttemptState
from training.exams.exam import Exam
from training.exams.paper import Response, draw_paper, require_fits
from training.exams.queries import get_exam
from training.exams.results import mark_by_machine
from training.exams.tables import ATTEMPTS
from training.policy import EXAM_TIME, Policy
from training.question_banks.queries import list_questions


async def start_attempt(tx: UnitOfWork, exam_id: UUID, *, principal: Principal, policy: Policy) -> Attempt:
    """Draws a paper and starts the clock. While an attempt runs, this gives that one again: the way back after a loss.

    Raises Fault exam_unknown, assignment_unknown for somebody who was not assigned the course, those of
    rules.require_may_begin, and bank_too_small when the bank has shrunk since.
    """
    exam = await get_exam(tx, exam_id)
    assignment = await _lock_assignment(tx, exam, principal.user_id)
    earlier = await _earlier(tx, exam, assignment)
    if earlier and earlier[-1].state == AttemptState.RUNNING:
        return earlier[-1]
    rules.require_may_begin(assignment, earlier, attempts=policy.attempts, retake_wait=policy.retake_wait, now=tx.now)
    attempt_id = uuid7()
    chance = Random(attempt_id.int)  # noqa: S311 -- which questions, not a secret; the id makes it repeatable
    paper = draw_paper(exam.sections, await list_questions(tx, exam.bank_id), chance)
    attempt = Attempt(
        attempt_id=attempt_id,
        version=1,
        state=AttemptState.RUNNING,
        exam_id=exam_id,
        assignment_id=assignment.assignment_id,
        person=principal.user_id,
        number=len(earlier) + 1,
        points=sum(asked.points for asked in paper),
        started_at=tx.now,
        due_at=tx.now + timedelta(minutes=exam.time_limit_minutes),
    )
    await store.add(tx, attempt, paper)
    subject = str(attempt_id)
    await deadlines.start(tx, [Start(EXAM_TIME, subject, responsible=attempt.person, due_at=attempt.due_at)])
    started = events_pb2.ExamAttemptStarted(
        attempt_id=subject, exam_id=str(exam_id), person=attempt.person, due_at=attempt.due_at
    )
    tx.emit(started, version=attempt.version)
    return attempt


async def save_answer(
    tx: UnitOfWork, attempt_id: UUID, position: int, response: Response, *, expected_version: int, principal: Principal
) -> AnsweredQuestion:
    """The newest answer to one question. The same answer again changes nothing, whatever version it expects: that is a
    client which did not hear that it was saved.

    Raises Fault attempt_unknown, not_yours, exam_time_over, transition_forbidden, position_unknown, answer_unfit or
    stale_version.
    """
    attempt = await store.share(tx, attempt_id)
    require_self(principal, attempt.person)
    rules.require_takes_answers(attempt, tx.now)
    before = await store.lock_question(tx, attempt_id, position)
    require_fits(before, response)
    if before.response == response:
        return before
    if expected_version not in {0, before.response_version}:
        raise Fault("stale_version")
    after = before.model_copy(
        update={"response": response, "response_version": before.response_version + 1, "saved_at": tx.now}
    )
    await store.save_answer(tx, attempt_id, after)
    return after


async def submit_attempt(
    tx: UnitOfWork, attempt_id: UUID, *, expected_version: int, principal: Principal, signer: CertificateSigner
) -> Attempt:
    """Hands the paper in. Raises Fault attempt_unknown, not_yours, stale_version or transition_forbidden."""
    attempt = await store.lock(tx, attempt_id, expected_version)
    require_self(principal, attempt.person)
    return await mark_by_machine(tx, rules.hand_in(attempt, tx.now), signer)


async def end_attempt(tx: UnitOfWork, attempt_id: UUID, *, signer: CertificateSigner) -> None:
    """The time is over: what is saved counts. An attempt that was handed in meanwhile stays as it is."""
    attempt = await store.lock(tx, attempt_id)
    if attempt.state == AttemptState.RUNNING:
        await mark_by_machine(tx, rules.hand_in(attempt, tx.now), signer)


async def _lock_assignment(tx: UnitOfWork, exam: Exam, person: str) -> Assignment:
    """The person's newest assignment of the exam's course; an open one before those that are completed."""
    columns = ASSIGNMENTS.c
    statement = (
        select(ASSIGNMENTS)
        .where(columns.person == person, columns.course_id == exam.course_id)
        .order_by(columns.state == State.COMPLETED, columns.assignment_id.desc())
        .limit(1)
        .with_for_update()
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("assignment_unknown")
    return Assignment.model_validate(row._asdict())


async def _earlier(tx: UnitOfWork, exam: Exam, assignment: Assignment) -> Sequence[Attempt]:
    columns = ATTEMPTS.c
    statement = (
        select(ATTEMPTS)
        .where(columns.assignment_id == assignment.assignment_id, columns.exam_id == exam.exam_id)
        .order_by(columns.number)
    )
    return [Attempt.model_validate(row._asdict()) for row in await tx.execute(statement)]
