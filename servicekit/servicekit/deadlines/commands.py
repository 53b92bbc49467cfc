"""Starting and stopping clocks inside the transaction of what they watch (INT-05 to INT-07).

Every command is one statement or two, whatever the number of clocks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bihuan.common.v1 import common_pb2

from servicekit.database import UnitOfWork, current_traceparent
from servicekit.deadlines.alarms import ring_after_commit
from servicekit.deadlines.calendars import calendars_of
from servicekit.deadlines.rules import DUE_PERCENT, Run, next_mark
from standards import load

# What all clocks of one name have in common is sent once.
_INSERT = """
INSERT INTO deadlines (subject_id, case_id, clock, responsible, traceparent, calendar, time_limit, warn_at, due_at,
                       provisional, fires_at, state, started_at, running_since, used)
SELECT subject_id, case_id, clock, responsible, traceparent, calendar, time_limit,
       string_to_array(warn_at, ',')::smallint[], due_at, provisional, fires_at,
       'running', $1::timestamptz, $1::timestamptz, '0'::interval
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     AS starts (subject_id, case_id, clock, responsible, traceparent)
JOIN unnest($7::text[], $8::text[], $9::interval[], $10::text[], $11::timestamptz[], $12::boolean[], $13::timestamptz[])
     AS clocks (clock, calendar, time_limit, warn_at, due_at, provisional, fires_at) USING (clock)
"""

# The end of clocks. One whose time is over is missed, however it ends: the runner may not have come to it yet, and then
# still announces it. A missed clock stays missed when its work is done late; only its end moves on from due_at.
_END = """
UPDATE deadlines
SET state = CASE WHEN due_at <= $3::timestamptz THEN 'missed' ELSE $4::text END,
    fires_at = CASE WHEN state = 'missed' THEN fires_at
                    WHEN state = 'running' AND due_at <= $3::timestamptz THEN due_at END,
    ended_at = greatest($3::timestamptz, started_at)
WHERE subject_id = ANY($1::text[]) AND ($2::text[] IS NULL OR clock = ANY($2::text[]))
  AND (state IN ('running', 'paused') OR (state = 'missed' AND ended_at = due_at))
RETURNING fires_at
"""
_REASSIGN = """
UPDATE deadlines SET responsible = $2 WHERE subject_id = $1 AND state IN ('running', 'paused')
"""
_PAUSABLE = """
SELECT id, calendar, time_limit, running_since, used FROM deadlines
WHERE subject_id = ANY($1::text[]) AND state = 'running' AND due_at > $2
ORDER BY id FOR UPDATE
"""
_PAUSED = """
SELECT id, calendar, time_limit, warn_at, warned_percent, used FROM deadlines
WHERE subject_id = ANY($1::text[]) AND state = 'paused'
ORDER BY id FOR UPDATE
"""
_PAUSE = """
UPDATE deadlines SET state = 'paused', used = rows.used, due_at = NULL, provisional = false, fires_at = NULL
FROM unnest($1::bigint[], $2::interval[]) AS rows (id, used)
WHERE deadlines.id = rows.id
"""
_RESUME = """
UPDATE deadlines
SET state = 'running', running_since = $2, due_at = rows.due_at, provisional = rows.provisional,
    fires_at = rows.fires_at
FROM unnest($1::bigint[], $3::timestamptz[], $4::boolean[], $5::timestamptz[])
     AS rows (id, due_at, provisional, fires_at)
WHERE deadlines.id = rows.id
"""


_NOTHING: Final = timedelta()
_ALWAYS: Final = "always"


@dataclass(frozen=True, slots=True)
class Start:
    """A clock to start. Limit, calendar and warnings come from the standards under the name `clock`."""

    clock: str
    subject_id: str
    case_id: str = ""
    responsible: str = ""
    traceparent: str = ""
    """The trace that asks for it, where several requests share a transaction; else the current one."""
    due_at: datetime | None = None
    """When it is due, where what it watches says so itself: an exam's end, a certificate's. Every hour until then
    counts; without it, the standards' limit on the standards' calendar."""


async def start(
    tx: UnitOfWork, starts: Sequence[Start], *, at: datetime | None = None
) -> dict[str, list[common_pb2.Clock]]:
    """Starts clocks, at `tx.now` unless told otherwise; gives those of each subject as `of` would show them.

    Clocks that are alike are one message in the answer: read it, don't change it. Raises KeyError for a clock that the
    standards don't have, and asyncpg's UniqueViolationError when a clock of that name already runs for the subject: end
    it first.
    """
    running: dict[str, list[common_pb2.Clock]] = {wanted.subject_id: [] for wanted in starts}
    for due_at in dict.fromkeys(wanted.due_at for wanted in starts):
        alike = [wanted for wanted in starts if wanted.due_at == due_at]
        begun = await _start(tx, alike, at or tx.now, due_at)
        for wanted in alike:
            running[wanted.subject_id].append(begun[wanted.clock])
    return running


async def _start(
    tx: UnitOfWork, starts: Sequence[Start], began: datetime, due_at: datetime | None
) -> dict[str, common_pb2.Clock]:
    here = current_traceparent()
    clocks = [_begun(name, began, due_at) for name in sorted({wanted.clock for wanted in starts})]
    await tx.fetch(
        _INSERT,
        began,
        [wanted.subject_id for wanted in starts],
        [wanted.case_id for wanted in starts],
        [wanted.clock for wanted in starts],
        [wanted.responsible for wanted in starts],
        [wanted.traceparent or here for wanted in starts],
        *(list(column) for column in zip(*clocks, strict=True)),
    )
    ring_after_commit(tx, min(fires_at for *_, fires_at in clocks))
    return {
        name: common_pb2.Clock(
            name=name, state="CLOCK_STATE_RUNNING", started_at=began, due_at=due, provisional=provisional
        )
        for name, _, _, _, due, provisional, _ in clocks
    }


def _begun(
    name: str, began: datetime, due_at: datetime | None
) -> tuple[str, str, timedelta, str, datetime, bool, datetime]:
    """What clocks of that name that begin then have in common; see the columns of _INSERT."""
    standards = load()
    clock, calendars = standards.clock(name), calendars_of(standards)
    # What is due before it began is due at once.
    run = (
        Run(clock.limit, clock.calendar, began)
        if due_at is None
        else Run(max(due_at - began, _NOTHING), _ALWAYS, began)
    )
    due = run.reaches(DUE_PERCENT, calendars)
    first = run.reaches(next_mark(clock.warn_at, 0), calendars)
    warn_at = ",".join(map(str, clock.warn_at))
    return name, run.calendar, run.limit, warn_at, due.moment, due.provisional, first.moment


async def meet(tx: UnitOfWork, subject_ids: Collection[str], clocks: Collection[str]) -> None:
    """What the clocks watch is done: running and paused ones are met, or missed when their time is over.

    Clocks that don't run are left alone: the end of one stage often ends several clocks, of which not all were started.
    """
    await _end(tx, subject_ids, list(clocks), "met")


async def cancel(tx: UnitOfWork, subject_ids: Collection[str], clocks: Collection[str] | None = None) -> None:
    """What the clocks watch is no longer needed. Without `clocks`: every clock of the subjects."""
    await _end(tx, subject_ids, None if clocks is None else list(clocks), "cancelled")


async def _end(tx: UnitOfWork, subject_ids: Collection[str], clocks: list[str] | None, state: str) -> None:
    ended = await tx.fetch(_END, list(subject_ids), clocks, tx.now, state)
    if fires_at := [row["fires_at"] for row in ended if row["fires_at"] is not None]:
        ring_after_commit(tx, min(fires_at))


async def reassign(tx: UnitOfWork, subject_id: str, responsible: str) -> None:
    """Somebody else answers for the subject's clocks from now on."""
    await tx.fetch(_REASSIGN, subject_id, responsible)


async def pause(tx: UnitOfWork, subject_ids: Collection[str]) -> None:
    """Stops the subjects' running clocks where they are, while we wait for the customer.

    A clock whose time is over can't be paused any more: it is missed.
    """
    calendars = calendars_of(load())
    ids, used = [], []
    for row in await tx.fetch(_PAUSABLE, list(subject_ids), tx.now):
        run = Run(row["time_limit"], row["calendar"], row["running_since"], row["used"])
        ids.append(row["id"])
        used.append(run.used_at(tx.now, calendars))
    if ids:
        await tx.fetch(_PAUSE, ids, used)


async def resume(tx: UnitOfWork, subject_ids: Collection[str]) -> None:
    """Lets the subjects' paused clocks run on with what is left of their limits."""
    calendars = calendars_of(load())
    ids, due_at, provisional, fires_at = [], [], [], []
    for row in await tx.fetch(_PAUSED, list(subject_ids)):
        run = Run(row["time_limit"], row["calendar"], tx.now, row["used"])
        due = run.reaches(DUE_PERCENT, calendars)
        ids.append(row["id"])
        due_at.append(due.moment)
        provisional.append(due.provisional)
        fires_at.append(run.reaches(next_mark(row["warn_at"], row["warned_percent"]), calendars).moment)
    if ids:
        await tx.fetch(_RESUME, ids, tx.now, due_at, provisional, fires_at)
        ring_after_commit(tx, min(fires_at))
