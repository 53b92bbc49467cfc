"""What intake tells the loop check: every case and appointment with its clocks and what is wrong with it."""

from uuid import UUID

from bihuan.common.v1.common_pb2 import CLOCK_STATE_RUNNING
from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from intake.appointments.facts import appointment_facts
from intake.cases.consistency import problems_of
from intake.cases.store import case_of
from intake.cases.tables import CASES
from servicekit import deadlines

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next of both kinds by id, after the id `after`; empty for the first ones."""
    start = UUID(after) if after else _FIRST
    facts = await _cases(tx, start, limit) + await appointment_facts(tx, start, limit)
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _cases(tx: UnitOfWork, start: UUID, limit: int) -> list[EntityFact]:
    statement = select(CASES).where(CASES.c.case_id > start).order_by(CASES.c.case_id).limit(limit)
    cases = [case_of(row) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(case.case_id) for case in cases])
    return [
        EntityFact(
            entity="case",
            entity_id=str(case.case_id),
            case_id=str(case.case_id),
            state=case.stage.value,
            running_clocks=[clock.name for clock in clocks[str(case.case_id)] if clock.state == CLOCK_STATE_RUNNING],
            version=case.version,
            problems=problems_of(case, clocks[str(case.case_id)]),
        )
        for case in cases
    ]
