"""Monthly partitions for tables that grow for ever.

The parent is created with `postgresql_partition_by="RANGE (<column>)"` on a timestamptz column of platform time. A
default partition always exists, so a row always finds a place, even when a demo has advanced the clock past the months
made ahead; what it holds moves over when its month is made.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import text

from servicekit.database.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from alembic.operations import Operations

MONTHS_AHEAD = 3
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EXISTING = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:parent AS regclass)")
# Replicas do their housekeeping at the same time; only one of them makes a table's partitions.
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended('partitions of ' || :parent, 0))")


def create_default_partition(op: Operations, table: str) -> None:
    """For the migration that creates `table`."""
    op.execute(f"CREATE TABLE {_name(table)}_default PARTITION OF {table} DEFAULT")


async def ensure_months(tx: UnitOfWork, table: str, column: str, ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month and the next `ahead` months that are missing; returns their names."""
    _name(table), _name(column)
    await tx.execute(_TAKE_TURNS, {"parent": table})
    existing = set((await tx.execute(_EXISTING, {"parent": table})).scalars())
    made = []
    for first, end in _months(tx.now.date(), ahead + 1):
        partition = f"{table}_{first:%Y_%m}"
        if partition not in existing:
            for statement in _statements(table, column, partition, first, end):
                await tx.connection.exec_driver_sql(statement)
            made.append(partition)
    return made


def _statements(table: str, column: str, partition: str, first: date, end: date) -> list[str]:
    # Attached after it is filled, because PostgreSQL refuses a partition whose rows are in the default one. Indexes
    # come with the attachment.
    start, stop = f"'{first} 00:00Z'", f"'{end} 00:00Z'"
    return [
        # A row that came in between would make the attachment fail.
        f"LOCK TABLE {table}_default IN SHARE ROW EXCLUSIVE MODE",
        f"CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
        f"WITH moved AS (DELETE FROM {table}_default WHERE {column} >= {start} AND {column} < {stop} RETURNING *) "  # noqa: S608, ISC004 - checked names
        f"INSERT INTO {partition} SELECT * FROM moved",
        f"ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({stop})",
    ]


def _months(day: date, count: int) -> list[tuple[date, date]]:
    """First day and the day after the last, of `count` months from the one of `day` on."""
    months = [day.year * 12 + day.month - 1 + offset for offset in range(count + 1)]
    return list(pairwise(date(month // 12, month % 12 + 1, 1) for month in months))


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a table or column: {name!r}")
    return name
