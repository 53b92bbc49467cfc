"""What records tells the loop check: every record with its case, and what is wrong with it."""

from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import and_, func, select

from records.files.tables import RECORDS, VERSIONS

_FIRST = UUID(int=0)
_NEWEST = and_(
    VERSIONS.c.record_id == RECORDS.c.record_id,
    VERSIONS.c.version == RECORDS.c.version,
    VERSIONS.c.filed_at == RECORDS.c.filed_at,
)
# The database computes the hash, so that contents need not travel.
_HASH = func.encode(func.sha256(VERSIONS.c.content), "hex")


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next records by id, after the id `after`; empty for the first ones."""
    statement = (
        select(RECORDS.c.record_id, RECORDS.c.case_id, RECORDS.c.version, RECORDS.c.content_hash, _HASH.label("found"))
        .join_from(RECORDS, VERSIONS, _NEWEST, isouter=True)
        .where(RECORDS.c.record_id > (UUID(after) if after else _FIRST))
        .order_by(RECORDS.c.record_id)
        .limit(limit)
    )
    return [
        EntityFact(
            entity="record",
            entity_id=str(row.record_id),
            case_id=str(row.case_id),
            state="filed",
            version=row.version,
            problems=_problems(row.content_hash, row.found),
        )
        for row in await tx.execute(statement)
    ]


def _problems(expected: str, found: str | None) -> list[str]:
    if found is None:
        return ["the content is missing"]
    return [] if found == expected else ["the content is not what was filed: its hash differs"]
