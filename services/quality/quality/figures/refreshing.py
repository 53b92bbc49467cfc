"""Forming contributions anew for subjects of which something new is remembered (QLT-02)."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

from servicekit.database import UnitOfWork

from quality.figures.contributions import Contribution, Observation, Subject, contributions_of
from standards import Standards

# Subjects of one transaction.
BATCH = 200

# One process forms contributions, so that two never write a subject's at once; another takes over when it is gone.
_TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended('quality figures', 0)) AS mine"
_AWAIT_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('quality figures', 0))"
_TAKE_CHANGES = """
DELETE FROM quality_changes WHERE change_id IN (
    SELECT change_id FROM quality_changes WHERE generation = (SELECT min(generation) FROM quality_changes)
    ORDER BY change_id LIMIT $1)
RETURNING generation, subject_id
"""
_REMEMBERED = """
SELECT subject_id, mark, event_id, occurred_at, version, facts FROM quality_observations
WHERE generation = $1 AND subject_id = ANY($2::text[])
"""
_FORGET = """
DELETE FROM quality_contributions WHERE generation = $1 AND subject_id = ANY($2::text[]) RETURNING indicator, region
"""
_CONTRIBUTE = """
INSERT INTO quality_contributions (generation, indicator, subject_id, at, value, region, dimensions)
SELECT $1::int, rows.* FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[], $7::jsonb[])
     AS rows
"""
_IS_LIVE = "SELECT state = 'live' AS live FROM quality_generations WHERE generation = $1"
# Formed by other standards: every subject's contributions are formed anew, from what is remembered.
_TAKE_UP_STANDARDS = """
WITH outdated AS (
    UPDATE quality_generations SET standards_hash = $1 WHERE state <> 'retired' AND standards_hash <> $1
    RETURNING generation)
INSERT INTO quality_changes (generation, subject_id)
SELECT DISTINCT generation, subject_id FROM quality_observations JOIN outdated USING (generation)
"""


@dataclass
class Refreshed:
    """What one round has done. `touched`: indicator and region of every live contribution that came or went."""

    changes: int = 0
    touched: set[tuple[str, str]] = field(default_factory=set)


async def refresh(tx: UnitOfWork, standards: Standards) -> Refreshed:
    """Forms the contributions of the subjects that changed first; nothing where another process is at it."""
    if not (await tx.fetch(_TAKE_TURN))[0]["mine"]:
        return Refreshed()
    changes = await tx.fetch(_TAKE_CHANGES, BATCH)
    if not changes:
        return Refreshed()
    generation = changes[0]["generation"]
    ids = sorted({change["subject_id"] for change in changes})
    observations: defaultdict[str, list[Observation]] = defaultdict(list)
    for row in await tx.fetch(_REMEMBERED, generation, ids):
        observations[row["subject_id"]].append(
            Observation(row["mark"], row["event_id"], row["occurred_at"], row["version"], row["facts"])
        )
    formed = [
        contribution
        for subject_id, known in observations.items()
        for contribution in contributions_of(Subject(subject_id, known), standards)
    ]
    gone = await tx.fetch(_FORGET, generation, ids)
    await _contribute(tx, generation, formed)
    live = await tx.fetch(_IS_LIVE, generation)
    refreshed = Refreshed(len(changes))
    if live and live[0]["live"]:
        refreshed.touched = {(row["indicator"], row["region"]) for row in gone}
        refreshed.touched |= {(each.indicator, each.region) for each in formed}
    return refreshed


async def refresh_all(tx: UnitOfWork, standards: Standards) -> None:
    """Forms what is still to be formed, after whoever else is at it."""
    await tx.fetch(_AWAIT_TURN)
    while (await refresh(tx, standards)).changes:
        pass


async def take_up_standards(tx: UnitOfWork, standards: Standards) -> None:
    """Has everything formed anew where it was formed by other standards than these."""
    await tx.fetch(_TAKE_UP_STANDARDS, standards.content_hash)


async def _contribute(tx: UnitOfWork, generation: int, formed: list[Contribution]) -> None:
    if formed:
        await tx.fetch(
            _CONTRIBUTE,
            generation,
            [each.indicator for each in formed],
            [each.subject_id for each in formed],
            [each.at for each in formed],
            [each.value for each in formed],
            [each.region for each in formed],
            [json.dumps(each.dimensions, ensure_ascii=False) for each in formed],
        )
