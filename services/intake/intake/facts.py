"""What intake tells the loop check: cases and appointments with their clocks, incidents as known here."""

from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from intake.appointments.facts import appointment_facts
from intake.cases.case import Case
from intake.cases.consistency import problems_of
from intake.cases.store import case_of
from intake.cases.tables import CASES
from intake.outages import store as outages
from intake.outages.outage import State
from intake.outages.tables import OUTAGES
from servicekit import deadlines

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next of both kinds by id, after the id `after`; empty for the first ones."""
    first = UUID(after) if after else _FIRST
    facts = await _cases(tx, first, limit) + await _incidents(tx, first, limit)
    facts += await appointment_facts(tx, first, limit)
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _cases(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    statement = select(CASES).where(CASES.c.case_id > after).order_by(CASES.c.case_id).limit(limit)
    cases = [case_of(row) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(case.case_id) for case in cases])
    states = await outages.states_of(tx, {case.incident_id for case in cases if case.incident_id is not None})
    return [
        EntityFact(
            entity="case",
            entity_id=str(case.case_id),
            case_id=str(case.case_id),
            state=case.stage.value,
            running_clocks=deadlines.running(clocks[str(case.case_id)]),
            version=case.version,
            problems=[
                *problems_of(case, clocks[str(case.case_id)]),
                *_left_behind(case, states.get(case.incident_id) if case.incident_id else None),
            ],
        )
        for case in cases
    ]


def _left_behind(case: Case, incident: State | None) -> list[str]:
    """A case waits only for an incident that is open; for one that is over, only while its own visit goes on."""
    if not case.waits_for_incident or incident == State.OPEN:
        return []
    if incident == State.RESTORED and case.work_order_id is not None:
        return []
    return [f"it waits for incident {case.incident_id}, which is {incident or 'unknown'}"]


async def _incidents(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    """Incidents as they are known here; dispatch must know the same."""
    statement = (
        select(OUTAGES.c.incident_id, OUTAGES.c.state)
        .where(OUTAGES.c.incident_id > after)
        .order_by(OUTAGES.c.incident_id)
        .limit(limit)
    )
    return [
        EntityFact(entity="known_incident", entity_id=str(row.incident_id), state=row.state)
        for row in await tx.execute(statement)
    ]
