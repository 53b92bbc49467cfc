"""What goes from the kit's own tables when nobody needs it any more: in small batches, the oldest first.

Everything but clocks goes by real time, because what it guards against happens in real time; clocks are platform time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text

from servicekit.database import UnitOfWork
from servicekit.ids import uuid7_floor
from servicekit.messaging.streams import EVENTS_KEPT
from standards import load

BATCH: Final = 1000

# Deletes one batch and tells how many rows that were; fewer than BATCH: there are no more for now.
Pruning = Callable[[UnitOfWork], Awaitable[int]]

# A published event is on the stream; here it only helps whoever looks into a mishap of the last days.
OUTBOX_KEPT: Final = timedelta(days=14)
# As long as the stream has a message, it may come again and must be known.
INBOX_KEPT: Final = EVENTS_KEPT
# A creation is repeated within minutes; a month is for the client that comes back from repair with a full outbox.
IDEMPOTENCY_KEYS_KEPT: Final = timedelta(days=30)

_LONGEST_YEAR: Final = timedelta(days=366)

# Of each table only the oldest rows are looked at, so that a batch costs the same however large the table is.
_OUTBOX = text("""
DELETE FROM outbox WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM outbox WHERE parked_reason IS NULL ORDER BY id LIMIT :batch) AS oldest
    WHERE published_at < :before)
""")
_INBOX = text("""
DELETE FROM inbox WHERE (consumer, event_id) IN (
    SELECT consumer, event_id FROM inbox
    WHERE consumer = :consumer AND event_id < :made_before AND handled_at < :before LIMIT :batch)
""")
_INBOX_FAILURES = text("DELETE FROM inbox_failures WHERE last_at < :before")
_IDEMPOTENCY_KEYS = text("""
DELETE FROM idempotency_keys WHERE (scope, key) IN (
    SELECT scope, key FROM idempotency_keys WHERE created_at < :before LIMIT :batch)
""")
_DEADLINES = text("""
DELETE FROM deadlines WHERE id IN (
    SELECT id FROM (
        SELECT id, ended_at FROM deadlines
        WHERE state NOT IN ('running', 'paused') AND fires_at IS NULL ORDER BY id LIMIT :batch) AS oldest
    WHERE ended_at < :before)
""")


async def prune_outbox(tx: UnitOfWork) -> int:
    """Published events. Parked ones stay until somebody has seen to them."""
    return await _delete(tx, _OUTBOX, before=_now() - OUTBOX_KEPT)


async def prune_inbox(tx: UnitOfWork) -> int:
    """Marks of messages that can't come again, and failures of messages that never came again."""
    before = _now() - INBOX_KEPT
    await tx.execute(_INBOX_FAILURES, {"before": before})
    # A message is handled after it was made, and its id tells when that was: the primary key finds the old ones.
    return await _delete(tx, _INBOX, before=before, made_before=uuid7_floor(before), consumer=tx.service)


async def prune_idempotency_keys(tx: UnitOfWork) -> int:
    """Keys that nobody repeats any more; one that is used again later makes something new."""
    return await _delete(tx, _IDEMPOTENCY_KEYS, before=_now() - IDEMPOTENCY_KEYS_KEPT)


async def prune_deadlines(tx: UnitOfWork) -> int:
    """Ended clocks that prove nothing any more.

    They stand behind the figures of met and missed clocks and are shown with their case, so they stay as long as any
    record may: the longest retention in the standards.
    """
    years = max(kept.years for kept in load().retention.values())
    return await _delete(tx, _DEADLINES, before=tx.now - years * _LONGEST_YEAR)


PRUNINGS: Final[tuple[Pruning, ...]] = (
    prune_outbox,
    prune_inbox,
    prune_idempotency_keys,
    prune_deadlines,
)


def _now() -> datetime:
    return datetime.now(UTC)


async def _delete(tx: UnitOfWork, statement: TextClause, **parameters: datetime | UUID | str) -> int:
    return (await tx.execute(statement, {"batch": BATCH, **parameters})).rowcount
