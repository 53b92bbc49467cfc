"""Remembering what happened: idempotent, in any order, one statement a mark (QLT-02)."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message
from servicekit.database import UnitOfWork

from quality.observations.marks import MarkReader

# Into every generation that lives: while a rebuild replays the log, what happens meanwhile must be in both.
_REMEMBER = """
WITH remembered AS (
    INSERT INTO quality_observations (generation, occurred_at, event_id, mark, subject_id, version, facts)
    SELECT generation, $1::timestamptz, $2::uuid, $3::text, $4::text, $5::int, $6::jsonb
    FROM quality_generations WHERE state <> 'retired'
    ON CONFLICT DO NOTHING RETURNING generation, subject_id)
INSERT INTO quality_changes (generation, subject_id) SELECT generation, subject_id FROM remembered
"""
_REPLAY = """
WITH remembered AS (
    INSERT INTO quality_observations (generation, occurred_at, event_id, mark, subject_id, version, facts)
    SELECT $1::int, rows.*
    FROM unnest($2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::jsonb[]) AS rows
    ON CONFLICT DO NOTHING RETURNING subject_id)
INSERT INTO quality_changes (generation, subject_id) SELECT DISTINCT $1::int, subject_id FROM remembered
"""

Happened = tuple[Message, UUID, datetime, int]


async def remember(
    tx: UnitOfWork, reader: MarkReader, event: Message, *, event_id: UUID, occurred_at: datetime, version: int
) -> None:
    """Remembers the marks of one event; the same event again changes nothing."""
    for left in reader.read(event):
        facts = json.dumps(left.facts, ensure_ascii=False)
        await tx.fetch(_REMEMBER, occurred_at, event_id, left.mark, left.subject_id, version, facts)


async def replay(tx: UnitOfWork, reader: MarkReader, generation: int, events: Sequence[Happened]) -> int:
    """Remembers events of the log in one generation only; returns how many left a mark."""
    rows = [
        (occurred_at, event_id, left.mark, left.subject_id, version, json.dumps(left.facts, ensure_ascii=False))
        for event, event_id, occurred_at, version in events
        for left in reader.read(event)
    ]
    if rows:
        await tx.fetch(_REPLAY, generation, *(list(column) for column in zip(*rows, strict=True)))
    return len({event_id for _, event_id, *_ in rows})
