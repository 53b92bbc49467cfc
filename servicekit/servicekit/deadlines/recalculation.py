"""Settling due times that rested on a guess, once the State Council's arrangement of the year is in the standards."""

from __future__ import annotations

from servicekit.database import UnitOfWork
from servicekit.deadlines.alarms import ring_after_commit
from servicekit.deadlines.calendars import Calendars
from servicekit.deadlines.rules import DUE_PERCENT, Run, next_mark

_PROVISIONAL = """
SELECT id, calendar, time_limit, warn_at, warned_percent, running_since, used FROM deadlines
WHERE provisional AND state = 'running' AND due_at > $1
ORDER BY id FOR UPDATE
"""
_SETTLE = """
UPDATE deadlines SET due_at = rows.due_at, provisional = false, fires_at = rows.fires_at
FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS rows (id, due_at, fires_at)
WHERE deadlines.id = rows.id
"""


async def settle_provisional(tx: UnitOfWork, calendars: Calendars) -> int:
    """Computes provisional due times anew and returns how many are certain now. Paused clocks are, when they go on."""
    ids, due_at, fires_at = [], [], []
    for row in await tx.connection.exec_driver_sql(_PROVISIONAL, (tx.now,)):
        run = Run(row.time_limit, row.calendar, row.running_since, row.used)
        due = run.reaches(DUE_PERCENT, calendars)
        if not due.provisional:
            ids.append(row.id)
            due_at.append(due.moment)
            fires_at.append(run.reaches(next_mark(row.warn_at, row.warned_percent), calendars).moment)
    if ids:
        await tx.connection.exec_driver_sql(_SETTLE, (ids, due_at, fires_at))
        ring_after_commit(tx, min(fires_at))
    return len(ids)
