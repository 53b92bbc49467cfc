"""Computing all figures again from the event log, beside those that are shown, and then showing them (QLT-02)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import insert, select, update

from quality.figures.refreshing import BATCH, refresh_all
from quality.observations.tables import GENERATIONS, GenerationState
from standards import Standards

_NEXT = "SELECT max(generation) + 1 AS generation FROM quality_generations"
# What the log no longer has is taken over from the figures that are shown.
_TAKE_OVER = """
WITH taken AS (
    INSERT INTO quality_observations (generation, occurred_at, event_id, mark, subject_id, version, facts)
    SELECT $1::int, occurred_at, event_id, mark, subject_id, version, facts
    FROM quality_observations JOIN quality_generations USING (generation)
    WHERE state = 'live' AND occurred_at < $2 RETURNING subject_id)
INSERT INTO quality_changes (generation, subject_id) SELECT DISTINCT $1::int, subject_id FROM taken
"""
_WAITING = "SELECT count(*) AS waiting FROM quality_changes WHERE generation = $1"
_COMPARE = """
WITH live AS (SELECT indicator, at, subject_id, value, region, dimensions FROM quality_contributions
              JOIN quality_generations USING (generation) WHERE state = 'live'),
     built AS (SELECT indicator, at, subject_id, value, region, dimensions FROM quality_contributions
               WHERE generation = $1)
SELECT (SELECT count(*) FROM built) AS contributions,
       (SELECT count(*) FROM ((TABLE live EXCEPT TABLE built) UNION (TABLE built EXCEPT TABLE live)) AS differing)
           AS differing
"""
_THROW_AWAY = tuple(
    f"DELETE FROM {table} AS t USING quality_generations AS g "  # noqa: S608 - our own names
    "WHERE t.generation = g.generation AND g.state = 'retired'"
    for table in ("quality_changes", "quality_contributions", "quality_observations")
)


@dataclass(frozen=True)
class Finished:
    """How a rebuild ended; `finished` is False while much of it is still to be figured."""

    finished: bool
    differing: int = 0
    contributions: int = 0


async def begin_rebuild(tx: UnitOfWork, standards: Standards, *, log_begins_at: datetime | None) -> int:
    """A new generation; one that was being built is given up. Returns its number."""
    await _retire(tx, GenerationState.BUILDING)
    generation = int((await tx.fetch(_NEXT))[0]["generation"])
    row: dict[str, Any] = {
        "generation": generation,
        "state": GenerationState.BUILDING,
        "standards_hash": standards.content_hash,
    }
    await tx.execute(insert(GENERATIONS).values(row))
    if log_begins_at is not None:
        await tx.fetch(_TAKE_OVER, generation, log_begins_at)
    return generation


async def require_building(tx: UnitOfWork, generation: int) -> None:
    """Raises Fault rebuild_given_up: another one was begun, or it is finished."""
    statement = select(GENERATIONS.c.state).where(GENERATIONS.c.generation == generation).with_for_update(read=True)
    if await tx.scalar(statement) != GenerationState.BUILDING:
        raise Fault("rebuild_given_up")


async def finish_rebuild(tx: UnitOfWork, standards: Standards, generation: int) -> Finished:
    """Shows the new generation's figures, once everything is in them; tells what differs from those shown before."""
    await require_building(tx, generation)
    if (await tx.fetch(_WAITING, generation))[0]["waiting"] > BATCH:
        return Finished(finished=False)
    await refresh_all(tx, standards)
    compared = (await tx.fetch(_COMPARE, generation))[0]
    await _retire(tx, GenerationState.LIVE)
    shown = update(GENERATIONS).where(GENERATIONS.c.generation == generation)
    await tx.execute(shown.values(state=GenerationState.LIVE))
    return Finished(finished=True, differing=compared["differing"], contributions=compared["contributions"])


async def throw_away_retired(tx: UnitOfWork) -> None:
    """Deletes what belongs to generations that nobody will see again."""
    for statement in _THROW_AWAY:
        await tx.fetch(statement)


async def _retire(tx: UnitOfWork, state: GenerationState) -> None:
    retired = update(GENERATIONS).where(GENERATIONS.c.state == state)
    await tx.execute(retired.values(state=GenerationState.RETIRED))
