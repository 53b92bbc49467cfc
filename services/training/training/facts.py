"""What training tells the loop check: every assignment, attempt and certificate with what is wrong with it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import Table, select

from servicekit import deadlines
from training.assignments.assignment import Assignment
from training.assignments.tables import ASSIGNMENTS
from training.certificates.certificate import Certificate
from training.certificates.tables import CERTIFICATES
from training.consistency import problems_of_assignment, problems_of_attempt, problems_of_certificate
from training.exams.attempt import Attempt
from training.exams.tables import ATTEMPTS, EXAMS

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next of all three kinds by id, after the id `after`; empty for the first ones."""
    first = UUID(after) if after else _FIRST
    assignments = [
        Assignment.model_validate(row) for row in await _next(tx, ASSIGNMENTS, "assignment_id", first, limit)
    ]
    attempts = [Attempt.model_validate(row) for row in await _next(tx, ATTEMPTS, "attempt_id", first, limit)]
    certificates = [
        Certificate.model_validate(row) for row in await _next(tx, CERTIFICATES, "certificate_id", first, limit)
    ]
    ids = [entry.assignment_id for entry in assignments]
    ids += [entry.attempt_id for entry in attempts] + [entry.certificate_id for entry in certificates]
    clocks = await deadlines.of(tx, [str(entity_id) for entity_id in ids])
    certifying = await _certifying(tx, {attempt.exam_id for attempt in attempts})
    certified = await _certified(tx, [attempt.attempt_id for attempt in attempts])

    def fact(entity: str, entity_id: UUID, entry: Any, problems: list[str]) -> EntityFact:
        running = deadlines.running(clocks[str(entity_id)])
        return EntityFact(
            entity=entity,
            entity_id=str(entity_id),
            state=entry.state,
            running_clocks=running,
            version=entry.version,
            problems=problems,
        )

    facts = [
        fact("assignment", entry.assignment_id, entry, problems_of_assignment(entry, clocks[str(entry.assignment_id)]))
        for entry in assignments
    ]
    facts += [
        fact(
            "attempt",
            entry.attempt_id,
            entry,
            problems_of_attempt(
                entry,
                clocks[str(entry.attempt_id)],
                has_certificate=entry.attempt_id in certified,
                certifies=entry.exam_id in certifying,
            ),
        )
        for entry in attempts
    ]
    facts += [
        fact(
            "certificate",
            entry.certificate_id,
            entry,
            problems_of_certificate(entry, clocks[str(entry.certificate_id)]),
        )
        for entry in certificates
    ]
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _next(tx: UnitOfWork, table: Table, key: str, after: UUID, limit: int) -> list[dict[str, Any]]:
    statement = select(table).where(table.c[key] > after).order_by(table.c[key]).limit(limit)
    return [dict(row) for row in (await tx.execute(statement)).mappings()]


async def _certifying(tx: UnitOfWork, exam_ids: set[UUID]) -> set[UUID]:
    statement = select(EXAMS.c.exam_id).where(EXAMS.c.exam_id.in_(exam_ids), EXAMS.c.skill != "")
    return set((await tx.execute(statement)).scalars())


async def _certified(tx: UnitOfWork, attempt_ids: Sequence[UUID]) -> set[UUID]:
    statement = select(CERTIFICATES.c.attempt_id).where(CERTIFICATES.c.attempt_id.in_(attempt_ids))
    return set((await tx.execute(statement)).scalars())
