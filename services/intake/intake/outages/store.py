"""Reading and changing what intake knows of incidents, and finding the cases that they concern.

Who waits for whom: an opening report holds its customer's cases and then, shared, the outages' lock; a change of an
outage holds that lock alone and then the outage; a case that follows holds its case and then, shared, the outage.
Nobody waits in a circle, and no case slips between an outage that opens or ends and those that it concerns.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, insert, select, text, update

from intake.cases.case import FAULT, UNSOLVED, Stage
from intake.cases.tables import CASES
from intake.outages.outage import Outage, State
from intake.outages.rules import Area, Sightings
from intake.outages.tables import OUTAGES

# Any constant will do; the lock is per database.
_LOCK_ALL = text("SELECT pg_advisory_xact_lock(7209115101)")
_LOCK_AREAS = """
SELECT pg_advisory_xact_lock_shared(7209115101)
UNION ALL
SELECT pg_advisory_xact_lock(area) FROM unnest($1::bigint[]) AS areas (area)
"""
_ONGOING = """
SELECT incident_id, state, region, categories, since, restoration, restored_at FROM outages
WHERE state IN ('asked', 'open') ORDER BY incident_id
"""
# Counted here: until many are one outage, each report looks at all the others.
_SIGHTINGS = f"""
SELECT cases.region, cases.category, count(DISTINCT customer_id) AS customers, min(accepted_at) AS first_at FROM cases
JOIN unnest($1::text[], $2::text[]) AS areas (region, category) USING (region, category)
WHERE kind = '{FAULT}' AND closed_at IS NULL AND incident_id IS NULL AND complaint_id IS NULL
  AND stage = ANY($3::text[]) AND reopened_times = 0 AND detached_from IS NULL
  AND proposed_confidence > 0 AND accepted_at >= $4
GROUP BY cases.region, cases.category
"""  # noqa: S608 -- our own constant, spelled out so that the partial index is used
_UNSOLVED = sorted(UNSOLVED)


async def hold_areas(tx: UnitOfWork, areas: Collection[Area]) -> None:
    """Reports of one area are counted one transaction after the other; nobody opens or ends an outage meanwhile."""
    await tx.fetch(_LOCK_AREAS, sorted(_key(area) for area in areas))


async def hold_all(tx: UnitOfWork) -> None:
    """Every report that is being opened is through, and the next one waits."""
    await tx.execute(_LOCK_ALL)


async def ongoing(tx: UnitOfWork) -> list[Outage]:
    """Outages that new reports may belong to, oldest first."""
    return [Outage.model_validate(dict(row)) for row in await tx.fetch(_ONGOING)]


async def sightings(tx: UnitOfWork, areas: Sequence[Area], since: datetime) -> dict[Area, Sightings]:
    """Unsolved faults of these areas that belong to no incident yet, for those who hold the areas; of areas with any.

    The first moment, `since`, counts. One that came back because its visit failed, its incident was none or it was not
    solved is no new sighting.
    """
    regions, categories = [area.region for area in areas], [area.category for area in areas]
    return {
        Area(row["region"], row["category"]): Sightings(row["customers"], row["first_at"])
        for row in await tx.fetch(_SIGHTINGS, regions, categories, _UNSOLVED, since)
    }


async def add(tx: UnitOfWork, outage: Outage) -> None:
    await tx.execute(insert(OUTAGES), outage.model_dump())


async def save(tx: UnitOfWork, outage: Outage) -> None:
    """Stores it as it is now; waits until no case is just following it."""
    await tx.execute(update(OUTAGES).where(OUTAGES.c.incident_id == outage.incident_id).values(outage.model_dump()))


async def find(tx: UnitOfWork, incident_id: UUID) -> Outage | None:
    """None: not known here, or not yet."""
    row = (await tx.execute(select(OUTAGES).where(OUTAGES.c.incident_id == incident_id))).one_or_none()
    return Outage.model_validate(row._asdict()) if row is not None else None


async def hold(tx: UnitOfWork, incident_id: UUID) -> Outage:
    """The outage, for a case that follows it: it does not change before this transaction ends.

    Raises Fault("incident_unknown").
    """
    statement = select(OUTAGES).where(OUTAGES.c.incident_id == incident_id).with_for_update(read=True)
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("incident_unknown")
    return Outage.model_validate(row._asdict())


async def states_of(tx: UnitOfWork, incident_ids: Collection[UUID]) -> dict[UUID, State]:
    statement = select(OUTAGES.c.incident_id, OUTAGES.c.state).where(OUTAGES.c.incident_id.in_(incident_ids))
    return {row.incident_id: State(row.state) for row in await tx.execute(statement)}


async def concerned(tx: UnitOfWork, outage: Outage) -> list[UUID]:
    """Cases that belong to an outage and are not attached to any, oldest first; none that somebody has taken out."""
    columns = CASES.c
    return await _ids(
        tx,
        columns.kind == FAULT,
        columns.closed_at.is_(None),
        columns.incident_id.is_(None),
        columns.complaint_id.is_(None),
        columns.stage.in_(UNSOLVED),
        columns.reopened_times == 0,
        columns.detached_from.is_(None),
        columns.proposed_confidence > 0,
        columns.category.in_(outage.categories),
        columns.accepted_at >= outage.since,
        lies_in(columns.region, outage.region),
    )


async def attached(tx: UnitOfWork, incident_id: UUID) -> list[UUID]:
    """Cases that wait for it, oldest first."""
    return await _ids(tx, CASES.c.incident_id == incident_id, CASES.c.stage == Stage.HANDLING)


async def _ids(tx: UnitOfWork, *conditions: ColumnElement[bool]) -> list[UUID]:
    return list((await tx.execute(select(CASES.c.case_id).where(*conditions).order_by(CASES.c.case_id))).scalars())


def _key(area: Area) -> int:
    digest = sha256(f"{area.region} {area.category}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
