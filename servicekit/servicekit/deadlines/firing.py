"""Acting on the marks that have come: a batch of clocks moves on, is announced and handled in one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from bihuan.common.v1 import common_pb2
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from servicekit.database import Database, UnitOfWork
from servicekit.deadlines.calendars import Calendars, calendars_of
from servicekit.deadlines.handlers import Deadline, DeadlineHandlers, Handler
from servicekit.deadlines.rules import DUE_PERCENT, Run, next_mark, retry_delay
from servicekit.telemetry import names
from standards import load

BATCH = 200

_CLAIM = """
SELECT id, subject_id, case_id, clock, responsible, calendar, time_limit, warn_at, state, started_at, running_since,
       used, due_at, warned_percent, fires_at, attempts, ended_at, traceparent
FROM deadlines WHERE fires_at <= $1 AND case_id <> ALL($3::text[])
ORDER BY fires_at, id LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_MOVE_ON = """
UPDATE deadlines
SET state = rows.state, warned_percent = rows.warned_percent, fires_at = rows.fires_at, ended_at = rows.ended_at,
    attempts = 0, last_error = ''
FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
     AS rows (id, state, warned_percent, fires_at, ended_at)
WHERE deadlines.id = rows.id
"""
_PUT_OFF = """
UPDATE deadlines
SET state = $2, warned_percent = $3, ended_at = $4, fires_at = $5, attempts = $6, last_error = $7
WHERE id = $1
"""
# Use cases lock what they change and then its clocks; a runner does it the other way round. Where its handlers have to
# wait for what they change (see `DeadlineHandlers.takes_cases`), it gives way quickly, and long before the server would
# look for a deadlock.
_GIVE_WAY = text("SET LOCAL lock_timeout = '200ms'")
_LOCK_TAKEN = frozenset({"55P03", "40P01"})
_AFTER_LOCK_TAKEN = timedelta(milliseconds=200)
_LONGEST_ERROR = 500
# A case is in use for milliseconds mostly. Marks that wait longer than this for theirs are told of, as often as this.
_LONG_IN_USE = timedelta(seconds=10)

_tracer = trace.get_tracer("servicekit.deadlines")
lag = metrics.get_meter("servicekit.deadlines").create_histogram(
    names.DEADLINE_LAG,
    unit="s",
    description="How late a mark of a clock was acted on.",
    # From a second to a day, the time that a service may have been down.
    explicit_bucket_boundaries_advisory=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400),
)
_propagator = TraceContextTextMapPropagator()
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that has come, with the row as it was before."""

    row: Any
    percent: int
    next_at: datetime | None
    """When the following mark comes; None after the last one."""

    @property
    def is_last(self) -> bool:
        return self.percent >= DUE_PERCENT

    @property
    def deadline(self) -> Deadline:
        row = self.row
        return Deadline(
            subject_id=row.subject_id,
            case_id=row.case_id,
            clock=row.clock,
            responsible=row.responsible,
            started_at=row.started_at,
            due_at=row.due_at,
            percent=self.percent,
            done_late_at=row.ended_at,
        )


class Firing:
    """Fires marks that have come. Replicas take different ones."""

    def __init__(self, database: Database, handlers: DeadlineHandlers) -> None:
        self._database = database
        self._handlers = handlers
        self._told_waiting_at = -math.inf

    async def fire_due(self) -> int:
        """Acts on one batch of marks and returns on how many.

        First all together. If anything fails, again with a savepoint around each, so that only those are put off whose
        own handler fails.
        """
        try:
            return await self._fire(isolated=False)
        except Exception as error:  # told apart in the second try
            log.info("deadlines_isolated", error=repr(error))
        return await self._fire(isolated=True)

    async def _fire(self, *, isolated: bool) -> int:
        async with self._database.transaction("fire_deadlines") as tx:
            await tx.execute(_GIVE_WAY)
            marks = await self._claim(tx)
            if marks:
                await _move_on(tx, marks)
            for mark in marks:
                await (self._try_mark(tx, mark) if isolated else self._act_on(tx, mark))
        return len(marks)

    async def _claim(self, tx: UnitOfWork) -> list[Mark]:
        """Marks that have come, one of each subject at most: a handler may change the other clocks of its subject.

        However many wait for cases in use, it looks behind them until there is something to do.
        """
        calendars = calendars_of(load())
        in_use: set[str] = set()
        while claimed := list(await tx.connection.exec_driver_sql(_CLAIM, (tx.now, BATCH, list(in_use)))):
            in_use.update(await self._handlers.cases_in_use(tx, {row.case_id for row in claimed if row.case_id}))
            first_of_subject: dict[str, Any] = {}
            for row in claimed:
                if row.case_id not in in_use:
                    first_of_subject.setdefault(row.subject_id, row)
            self._tell_waiting([tx.now - row.fires_at for row in claimed if row.case_id in in_use])
            if first_of_subject:
                return [_mark(row, calendars) for row in first_of_subject.values()]
        return []

    def _tell_waiting(self, lags: Sequence[timedelta]) -> None:
        longest = max(lags, default=timedelta())
        if longest >= _LONG_IN_USE and monotonic() - self._told_waiting_at >= _LONG_IN_USE.total_seconds():
            self._told_waiting_at = monotonic()
            log.warning("deadlines_wait_for_cases_in_use", marks=len(lags), longest_seconds=longest.total_seconds())

    async def _try_mark(self, tx: UnitOfWork, mark: Mark) -> None:
        try:
            async with tx.savepoint():
                await self._act_on(tx, mark)
        except Exception as error:  # one service's defect must not hold up the other clocks
            await _put_off(tx, mark, error)

    async def _act_on(self, tx: UnitOfWork, mark: Mark) -> None:
        row, deadline = mark.row, mark.deadline
        labels = {names.CLOCK: row.clock, names.CLOCK_MARK: "missed" if mark.is_last else "warned"}
        lag.record(max((tx.now - row.fires_at).total_seconds(), 0.0), labels)
        with _tracer.start_as_current_span(
            names.SPAN_DEADLINE,
            context=Context(),
            links=_links(row.traceparent),
            attributes={names.CLOCK: row.clock, names.CASE_ID: row.case_id},
        ):
            tx.emit(_event(deadline), version=0)
            for handler in self._handlers_of(tx, mark):
                await handler(tx, deadline)

    def _handlers_of(self, tx: UnitOfWork, mark: Mark) -> Sequence[Handler]:
        """A warning whose handlers keep failing must not hold up the marks after it."""
        if mark.row.attempts and mark.next_at is not None and mark.next_at <= tx.now:
            log.error("deadline_warning_given_up", clock=mark.row.clock, subject=mark.row.subject_id)
            return ()
        return self._handlers.of(mark.row.clock, mark.percent)


def _mark(row: Any, calendars: Calendars) -> Mark:
    # Ended late before the runner came to it: only that it was missed is left to say.
    percent = DUE_PERCENT if row.state == "missed" else next_mark(row.warn_at, row.warned_percent)
    if percent == DUE_PERCENT:
        return Mark(row, percent, None)
    run = Run(row.time_limit, row.calendar, row.running_since, row.used)
    return Mark(row, percent, run.reaches(next_mark(row.warn_at, percent), calendars).moment)


async def _move_on(tx: UnitOfWork, marks: Sequence[Mark]) -> None:
    columns = zip(
        *(
            (
                mark.row.id,
                "missed" if mark.is_last else "running",
                mark.row.warned_percent if mark.is_last else mark.percent,
                mark.next_at,
                (mark.row.ended_at or mark.row.due_at) if mark.is_last else None,
            )
            for mark in marks
        ),
        strict=True,
    )
    await tx.connection.exec_driver_sql(_MOVE_ON, tuple(list(column) for column in columns))


async def _put_off(tx: UnitOfWork, mark: Mark, error: Exception) -> None:
    row = mark.row
    if _is_lock_taken(error):
        attempts, again_at = row.attempts, tx.now + _AFTER_LOCK_TAKEN
    else:
        attempts, again_at = row.attempts + 1, tx.now + retry_delay(row.attempts + 1)
        log.error("deadline_handler_failed", clock=row.clock, subject=row.subject_id, attempts=attempts, exc_info=error)
    if mark.next_at is not None:
        again_at = max(min(again_at, mark.next_at), tx.now)
    values = (row.id, row.state, row.warned_percent, row.ended_at, again_at, attempts, repr(error)[:_LONGEST_ERROR])
    await tx.connection.exec_driver_sql(_PUT_OFF, values)


def _is_lock_taken(error: Exception) -> bool:
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None) in _LOCK_TAKEN


def _links(traceparent: str) -> list[trace.Link]:
    return list(_started_by(traceparent)) if traceparent else []


def _started_by(traceparent: str) -> Iterator[trace.Link]:
    started = trace.get_current_span(_propagator.extract({"traceparent": traceparent})).get_span_context()
    if started.is_valid:
        yield trace.Link(started)


def _event(deadline: Deadline) -> common_pb2.ClockWarned | common_pb2.ClockMissed:
    if deadline.percent < DUE_PERCENT:
        return common_pb2.ClockWarned(
            subject_id=deadline.subject_id,
            case_id=deadline.case_id,
            clock=deadline.clock,
            percent=deadline.percent,
            due_at=deadline.due_at,
        )
    return common_pb2.ClockMissed(
        subject_id=deadline.subject_id,
        case_id=deadline.case_id,
        clock=deadline.clock,
        due_at=deadline.due_at,
        responsible=deadline.responsible,
    )
