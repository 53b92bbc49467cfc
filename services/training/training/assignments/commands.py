"""Assigning training and recording how far it is: each function is one use case in one transaction (TRN-02, TRN-07)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bihuan.training.v1.commands_pb2 import AssignTraining
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import exists, select

from training.access import require_self
from training.assignments import rules, store
from training.assignments.assignment import Assignment, State
from training.assignments.tables import ASSIGNMENTS
from training.courses.commands import hold_catalogue
from training.courses.course import Course
from training.courses.queries import find_offered, get_course
from training.exams.tables import EXAMS
from training.policy import Policy


async def assign_course(
    tx: UnitOfWork,
    *,
    course_id: UUID,
    person: str,
    reason: str,
    due_at: datetime | None,
    key: CreationKey,
    principal: Principal,
    policy: Policy,
) -> Assignment:
    """A course for somebody. The same key gives the same assignment again.

    Raises Fault course_unknown, course_not_offered or time_past.
    """
    assignment_id, is_new = await claim_id(tx, "assign_course", key, principal)
    if not is_new:
        return await store.find(tx, assignment_id)
    course = await get_course(tx, course_id)
    if not course.is_offered(tx.now):
        raise Fault("course_not_offered", field="course_id")
    if due_at is not None and due_at <= tx.now:
        raise Fault("time_past", field="due_at")
    assignment = Assignment(
        assignment_id=assignment_id,
        version=1,
        state=State.LEARNING,
        person=person,
        course_topic=course.topic,
        course_id=course.course_id,
        course_version=course.version,
        reason=reason,
        assigned_by=principal.user_id,
        owner=course.owner,
        assigned_at=tx.now,
        due_at=due_at or tx.now + policy.training_due,
    )
    await store.add(tx, assignment)
    return assignment


async def assign_training(tx: UnitOfWork, wanted: AssignTraining, policy: Policy) -> None:
    """Another service asks for it. Asked again for the same one, it does nothing.

    It gets the youngest course of the topic, or waits for one. Raises Fault topic_unknown: such an assignment would
    wait for ever.
    """
    policy.require_topic(wanted.course_topic)
    assignment_id = UUID(wanted.assignment_id)
    await hold_catalogue(tx)
    if await tx.scalar(select(exists().where(ASSIGNMENTS.c.assignment_id == assignment_id))):
        return
    course = await find_offered(tx, wanted.course_topic)
    due_at = wanted.due_at.ToDatetime(tzinfo=UTC) if wanted.HasField("due_at") else tx.now + policy.training_due
    assignment = Assignment(
        assignment_id=assignment_id,
        version=1,
        state=State.LEARNING,
        person=wanted.person,
        course_topic=wanted.course_topic,
        course_id=course.course_id if course else None,
        course_version=course.version if course else 0,
        reason=wanted.reason,
        source_id=wanted.source_id,
        assigned_by="system",
        owner=course.owner if course else "",
        assigned_at=tx.now,
        due_at=due_at,
    )
    await store.add(tx, assignment)


async def record_progress(
    tx: UnitOfWork, assignment_id: UUID, units: Sequence[str], *, expected_version: int, principal: Principal
) -> Assignment:
    """What the person has learned now. Raises Fault not_yours, unit_unknown, course_missing, stale_version …"""
    before = await store.lock(tx, assignment_id, expected_version)
    require_self(principal, before.person)
    course = await _course_of(tx, before)
    return await _save(tx, before, rules.learn_units(before, course, units, tx.now))


async def record_attendance(
    tx: UnitOfWork, assignment_id: UUID, entry: dict[str, Any], *, expected_version: int, principal: Principal
) -> Assignment:
    """That the person was there, or was not; `entry` is the contract's Attendance as JSON. Raises as above."""
    before = await store.lock(tx, assignment_id, expected_version)
    course = await _course_of(tx, before)
    noted = entry | {"recorded_at": tx.now.isoformat(), "recorded_by": principal.user_id}
    return await _save(tx, before, rules.attend(before, course, noted, tx.now))


async def complete_by_exam(tx: UnitOfWork, assignment_id: UUID) -> None:
    """The exam is passed. What was completed already stays so."""
    before = await store.lock(tx, assignment_id)
    if before.state == State.LEARNED:
        await store.save(tx, before, rules.complete(before, tx.now))


async def _course_of(tx: UnitOfWork, assignment: Assignment) -> Course:
    if assignment.course_id is None:
        raise Fault("course_missing", topic=assignment.course_topic)
    return await get_course(tx, assignment.course_id, assignment.course_version)


async def _save(tx: UnitOfWork, before: Assignment, after: Assignment) -> Assignment:
    """Stores it. Where the course has no exam, all is done once it is learned."""
    after = await store.save(tx, before, after)
    if after.state == State.LEARNED:
        has_exam = exists().where(EXAMS.c.course_id == after.course_id)
        if not await tx.scalar(select(has_exam)):
            return await store.save(tx, after, rules.complete(after, tx.now))
    return after
