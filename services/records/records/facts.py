"""What records tells the loop check: every record with its case, every request, and the log, with what is wrong."""

from typing import Any
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import Row, and_, exists, func, select

from records.accesses.request import AccessRequest, State
from records.accesses.tables import REQUESTS
from records.files.tables import CONTENT_HASH, RECORDS, VERSIONS
from records.log.consistency import log_fact
from records.log.entries import Kind
from records.log.tables import ENTRIES
from records.policy import APPROVAL, OPENING
from records.retention.destruction import State as Destruction
from records.retention.tables import DESTRUCTIONS
from servicekit import deadlines

_FIRST = UUID(int=0)
_NEWEST = and_(
    VERSIONS.c.record_id == RECORDS.c.record_id,
    VERSIONS.c.version == RECORDS.c.version,
    VERSIONS.c.filed_at == RECORDS.c.filed_at,
)
_LOGGED = (
    select(func.count())
    .where(ENTRIES.c.record_id == RECORDS.c.record_id, ENTRIES.c.kind == Kind.RECORD_FILED.value)
    .scalar_subquery()
)
_PROPOSED = (
    exists()
    .where(DESTRUCTIONS.c.record_id == RECORDS.c.record_id, DESTRUCTIONS.c.state == Destruction.PROPOSED)
    .label("proposed")
)
# Which clock runs in a state.
_CLOCKS = {State.PENDING: APPROVAL, State.APPROVED: OPENING}


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next records and requests by id, after the id `after`; the log comes first."""
    first = UUID(after) if after else _FIRST
    facts = [*await _records(tx, first, limit), *await _requests(tx, first, limit)]
    if not after and (of_log := await log_fact(tx)):
        facts.append(of_log)
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _records(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    statement = (
        select(RECORDS, CONTENT_HASH.label("found"), _LOGGED.label("logged"), _PROPOSED)
        .join_from(RECORDS, VERSIONS, _NEWEST, isouter=True)
        .where(RECORDS.c.record_id > after)
        .order_by(RECORDS.c.record_id)
        .limit(limit)
    )
    return [
        EntityFact(
            entity="record",
            entity_id=str(row.record_id),
            case_id=str(row.case_id),
            state="destroyed" if row.destroyed_at else "filed",
            version=row.version,
            problems=_problems(row),
        )
        for row in await tx.execute(statement)
    ]


def _problems(row: Row[Any]) -> list[str]:
    problems = []
    if row.logged != row.version:
        problems.append(f"{row.version} versions were filed and {row.logged} are in the log")
    if row.destroyed_at is not None and row.proposed:
        problems.append("a proposal to destroy it is still open after its destruction")
    if row.destroyed_at is not None:
        return [*problems, "the content is still there after its destruction"] if row.found else problems
    if row.found is None:
        problems.append("the content is missing")
    elif row.found != row.content_hash:
        problems.append("the content is not what was filed: its hash differs")
    return problems


async def _requests(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    statement = select(REQUESTS).where(REQUESTS.c.request_id > after).order_by(REQUESTS.c.request_id).limit(limit)
    requests = [AccessRequest.model_validate(row._asdict()) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(request.request_id) for request in requests])
    facts = []
    for request in requests:
        running = deadlines.running(clocks[str(request.request_id)])
        expected = [_CLOCKS[request.state]] if request.state in _CLOCKS else []
        facts.append(
            EntityFact(
                entity="access_request",
                entity_id=str(request.request_id),
                state=request.state.value,
                running_clocks=running,
                version=request.version,
                problems=[]
                if running == expected
                else [f"clocks {running} run in state {request.state}, not {expected}"],
            )
        )
    return facts
