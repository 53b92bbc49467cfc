"""The local span store: spans of all processes of this machine in one bounded SQLite file, for `bihuan trace`."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

MOST_ROWS: Final = 300_000
MOST_BYTES: Final = 256 * 1024 * 1024
# Of the requests that name a case the newest are read whole, and of one that moved a thousand cases its beginning.
MOST_TRACES_OF_CASE: Final = 200
MOST_SPANS_OF_TRACE: Final = 500
_OWNER_ONLY: Final = 0o600
# Other processes write too; each writes for milliseconds.
_WAIT_FOR_LOCK_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.01
_PRUNE_EVERY_WRITES: Final = 20
# How many rows go at once when the file has become too large.
_PRUNED_SHARE: Final = 5

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spans (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    name TEXT NOT NULL,
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    started_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL,
    error TEXT NOT NULL,
    attributes TEXT NOT NULL,
    links TEXT NOT NULL,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX IF NOT EXISTS spans_of_case ON spans (case_id) WHERE case_id <> '';
"""
_COLUMNS: Final = (
    "trace_id, span_id, parent_id, case_id, name, service, kind, started_ns, ended_ns, error, attributes, links"
)
_INSERT: Final = f"INSERT OR REPLACE INTO spans ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_OF_TRACES: Final = f"""
SELECT {_COLUMNS} FROM (
    SELECT *, row_number() OVER (PARTITION BY trace_id ORDER BY started_ns, number) AS place FROM spans
    WHERE trace_id IN (SELECT value FROM json_each(?))
) WHERE place <= {MOST_SPANS_OF_TRACE}
"""  # noqa: S608
_OF_CASE: Final = f"SELECT {_COLUMNS} FROM spans WHERE case_id = ? ORDER BY number DESC"  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span. Ids in hexadecimal, times in nanoseconds since 1970 (life-cycle spans: platform time)."""

    trace_id: str
    span_id: str
    # Empty for a root.
    parent_id: str
    name: str
    service: str
    # `server`, `client`, `producer`, `consumer` or `internal`.
    kind: str
    started_ns: int
    ended_ns: int
    # Empty when all went well.
    error: str = ""
    # The case it is about (names.CASE_ID), or empty.
    case_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    # Ids of the traces that it is linked to.
    links: tuple[str, ...] = ()


class SpanStore:
    """Spans at `path`. Any number of processes may write and read at once; the oldest spans give way to new ones."""

    def __init__(self, path: Path, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._writes = 0

    def write(self, spans: Iterable[StoredSpan]) -> None:
        """Adds `spans`; one that is there already is replaced. Raises sqlite3.Error when the file can't be written."""
        rows = [_row(span) for span in spans]
        with self._lock, self._connection as connection:
            connection.executemany(_INSERT, rows)
            self._writes += 1
            if self._writes % _PRUNE_EVERY_WRITES == 1:
                self._prune(connection)

    def spans_of_case(self, case_id: UUID | str) -> list[StoredSpan]:
        """Everything known about a case, oldest first: its life-cycle trace, every span that says it is about it, and
        the whole traces of those and of what moved it, within the bounds above.

        The links of other spans than stages are not followed: the transaction that a request shared with others would
        bring in their cases.
        """
        case = UUID(str(case_id))
        with self._lock:
            life = self._read(_OF_TRACES, json.dumps([case.hex]))
            about = self._read(_OF_CASE, str(case))
            newest = islice(dict.fromkeys(span.trace_id for span in about), MOST_TRACES_OF_CASE)
            traces = {*newest, *(trace_id for span in life for trace_id in span.links)}
            others = self._read(_OF_TRACES, json.dumps(sorted(traces)))
        found = {(span.trace_id, span.span_id): span for span in (*life, *others, *about)}
        return sorted(found.values(), key=lambda span: (span.started_ns, -span.ended_ns, span.parent_id != ""))

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            # Attributes tell who did what and where: for the owner only. SQLite gives its side files the same rights,
            # and says best what else is wrong with the place.
            with contextlib.suppress(OSError):
                self._path.touch(mode=_OWNER_ONLY)
                self._path.chmod(_OWNER_ONLY)
            # The exporter's thread writes, the main thread flushes at the end: the lock keeps them apart.
            opened = sqlite3.connect(self._path, timeout=_WAIT_FOR_LOCK_SECONDS, check_same_thread=False)
            try:
                _write_ahead(opened)
                # A power cut may cost the last spans, never the file.
                opened.execute("PRAGMA synchronous = NORMAL")
                opened.executescript(_SCHEMA)
            except sqlite3.Error:
                opened.close()
                raise
            self._opened = opened
        return self._opened

    def _read(self, statement: str, parameter: str) -> list[StoredSpan]:
        return [_span(row) for row in self._connection.execute(statement, (parameter,))]

    def _prune(self, connection: sqlite3.Connection) -> None:
        (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM spans").fetchone()
        connection.execute("DELETE FROM spans WHERE number <= ?", (newest - self._most_rows,))
        while self._used_bytes(connection) > self._most_bytes:
            (oldest,) = connection.execute("SELECT coalesce(min(number), 0) FROM spans").fetchone()
            connection.execute("DELETE FROM spans WHERE number <= ?", (oldest + (newest - oldest) // _PRUNED_SHARE,))

    @staticmethod
    def _used_bytes(connection: sqlite3.Connection) -> int:
        """Without the free pages, which SQLite fills again before the file grows."""
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Of processes that open a new file at once one changes its mode; SQLite tells the others that the file is locked,
    without the wait that it keeps for everything else."""
    until = time.monotonic() + _WAIT_FOR_LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return


def _row(span: StoredSpan) -> Sequence[Any]:
    return (
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.case_id,
        span.name,
        span.service,
        span.kind,
        span.started_ns,
        span.ended_ns,
        span.error,
        json.dumps(span.attributes, ensure_ascii=False, default=str),
        json.dumps(span.links),
    )


def _span(row: Sequence[Any]) -> StoredSpan:
    trace_id, span_id, parent_id, case_id, name, service, kind, started_ns, ended_ns, error, attributes, links = row
    return StoredSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        service=service,
        kind=kind,
        started_ns=started_ns,
        ended_ns=ended_ns,
        error=error,
        case_id=case_id,
        attributes=json.loads(attributes),
        links=tuple(json.loads(links)),
    )
