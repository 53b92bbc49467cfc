"""Remembering what happened: idempotent, in any order, one statement however many events (QLT-02)."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from servicekit.database import UnitOfWork

from quality.observations.marks import MarkReader

# Into every generation that lives: while a rebuild replays the log, what happens meanwhile must be in both.
_REMEMBER = """
WITH remembered AS (
    INSERT INTO quality_observations (generation, occurred_at, event_id, mark, subject_id, version, facts)
    SELECT generation, rows.*
    FROM quality_generations
         CROSS JOIN unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::jsonb[]) AS rows
    WHERE state <> 'retired'
    ON CONFLICT DO NOTHING RETURNING generation, subject_id)
INSERT INTO quality_changes (generation, subject_id) SELECT DISTINCT generation, subject_id FROM remembered
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


async def remember(tx: UnitOfWork, reader: MarkReader, events: Sequence[Happened]) -> None:
    """Remembers the marks of events; the same event again changes nothing."""
    if columns := _columns(reader, events):
        await tx.fetch(_REMEMBER, *columns)


async def replay(tx: UnitOfWork, reader: MarkReader, generation: int, events: Sequence[Happened]) -> int:
    """Remembers events of the log in one generation only; returns how many left a mark."""
    columns = _columns(reader, events)
    if not columns:
        return 0
    await tx.fetch(_REPLAY, generation, *columns)
    _, event_ids, *_ = columns
    return len(set(event_ids))


def _columns(reader: MarkReader, events: Sequence[Happened]) -> list[list[Any]]:
    """The marks of events as the statements take them, a list a column; empty where none is left."""
    rows = [
        (occurred_at, event_id, left.mark, left.subject_id, version, json.dumps(left.facts, ensure_ascii=False))
        for event, event_id, occurred_at, version in events
        for left in reader.read(event)
    ]
    return [list(column) for column in zip(*rows, strict=True)]
