"""What complaints tells the loop check: every complaint with its clocks and what is wrong with it, and every
improvement that an alert found."""

from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from complaints.complaints.consistency import problems_of
from complaints.complaints.store import complaint_of
from complaints.complaints.tables import COMPLAINTS
from complaints.indicator_improvements.queries import improvement_facts
from servicekit import deadlines

_FIRST = UUID(int=0)


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next of both kinds by id, after the id `after`; empty for the first ones."""
    start = UUID(after) if after else _FIRST
    statement = (
        select(COMPLAINTS).where(COMPLAINTS.c.complaint_id > start).order_by(COMPLAINTS.c.complaint_id).limit(limit)
    )
    complaints = [complaint_of(row) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(each.complaint_id) for each in complaints])
    facts = [
        EntityFact(
            entity="complaint",
            entity_id=str(each.complaint_id),
            case_id=str(each.case_id or ""),
            state=each.stage.value,
            running_clocks=deadlines.running(clocks[str(each.complaint_id)]),
            version=each.version,
            problems=problems_of(each, clocks[str(each.complaint_id)]),
        )
        for each in complaints
    ]
    facts += await improvement_facts(tx, start, limit)
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]
