"""Clocks as people and operators see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import asyncpg
from bihuan.common.v1 import common_pb2
from bihuan.platform.v1 import inspection_pb2

from servicekit.database import UnitOfWork

_OF = """
SELECT subject_id, clock, state, started_at, due_at, ended_at, warned_percent, provisional FROM deadlines
WHERE subject_id = ANY($1::text[])
ORDER BY id
"""
_COUNTS = "SELECT clock, state, count(*) AS number FROM deadlines GROUP BY clock, state ORDER BY clock, state"
_WARNED = "SELECT clock, count(*) AS number FROM deadlines WHERE warned_percent > 0 GROUP BY clock ORDER BY clock"
_OVERDUE = "SELECT count(*) FROM deadlines WHERE fires_at IS NOT NULL AND due_at <= $1"


@dataclass(frozen=True, slots=True)
class ClockCounts:
    """How a service's clocks stand; for `Backlog`."""

    running: int
    by_state: list[inspection_pb2.ClockCount]


async def of(tx: UnitOfWork, subject_ids: Collection[str]) -> dict[str, list[common_pb2.Clock]]:
    """Every clock of each subject, in the order in which they were started; also a subject without any has its list."""
    found: dict[str, list[common_pb2.Clock]] = {subject_id: [] for subject_id in subject_ids}
    for row in await tx.fetch(_OF, list(found)) if found else ():
        found[row["subject_id"]].append(_clock(row))
    return found


def running(clocks: Iterable[common_pb2.Clock]) -> list[str]:
    """Names of those that run; a paused one does not."""
    return [clock.name for clock in clocks if clock.state == common_pb2.CLOCK_STATE_RUNNING]


async def count(tx: UnitOfWork) -> ClockCounts:
    """Counts of all clocks that the service ever had, by name and state."""
    by_state = [
        inspection_pb2.ClockCount(clock=row.clock, state=row.state, count=row.number)
        for row in await tx.connection.exec_driver_sql(_COUNTS)
    ]
    by_state += [
        inspection_pb2.ClockCount(clock=row.clock, state="warned", count=row.number)
        for row in await tx.connection.exec_driver_sql(_WARNED)
    ]
    return ClockCounts(
        running=sum(counted.count for counted in by_state if counted.state == "running"), by_state=by_state
    )


async def count_overdue(tx: UnitOfWork) -> int:
    """How many clocks have run out without anything having been done about it yet."""
    overdue = await tx.connection.exec_driver_sql(_OVERDUE, (tx.now,))
    return int(overdue.scalar_one())


def _clock(row: asyncpg.Record) -> common_pb2.Clock:
    return common_pb2.Clock(
        name=row["clock"],
        state=f"CLOCK_STATE_{row['state'].upper()}",
        started_at=row["started_at"],
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        warned_percent=row["warned_percent"],
        provisional=row["provisional"],
    )
