"""From the outbox to the stream: each committed row is published at least once, in the order of its entity.

One relay of a service is active, the one that holds an advisory lock on its own database connection. The lock and the
marks live on that one connection: a relay that loses it can't mark anything, and the next one publishes the rows again
under the same `Nats-Msg-Id`, which the stream and the inbox drop. For the same reason a mark may be lost with a server
that crashes, and does not wait for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from servicekit.database.trouble import is_database_trouble
from servicekit.messaging.bus import Bus, Connection
from servicekit.messaging.deadletters import ROOM_FOR_REASONS
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.metrics import outbox_oldest, outbox_parked, outbox_waiting
from servicekit.messaging.trouble import BusAwayError, PublishRefusedError

if TYPE_CHECKING:
    import asyncpg

    from servicekit.database import Database

CHANNEL = "outbox"
# Advisory locks are per database, and each service has its own; the number only must not be used for anything else.
LOCK = 0x0B1_0A7
POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
_MEASURE_SECONDS = 10.0
# At most one NOTIFY in this time, however many commits: one for each commit would halve the commit rate.
_NOTIFY_SECONDS = 0.005

# Of the relay's own connection. A bitmap scan, which the planner takes for cheaper, would walk over every row published
# since the last vacuum, each time; an index scan forgets them as it passes.
_SESSION = {"synchronous_commit": "off", "enable_bitmapscan": "off"}

_NEXT = """
SELECT id, event_id, subject, entity_id, entity_version, case_id, body, headers, created_at
FROM outbox WHERE published_at IS NULL AND parked_reason IS NULL AND id <> ALL($2::bigint[])
ORDER BY id LIMIT $1
"""
# Both in one round trip. A statement does not see its own changes, so the marked rows are left out by name.
_MARK_AND_NEXT = f"""
WITH marked AS (UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY($2::bigint[]))
{_NEXT}
"""  # noqa: S608 -- constants of ours
_PARK = "UPDATE outbox SET parked_reason = $2 WHERE id = $1"
_MEASURE = """
SELECT count(*) FILTER (WHERE parked_reason IS NULL) AS waiting,
       count(*) FILTER (WHERE parked_reason IS NOT NULL) AS parked,
       extract(epoch FROM clock_timestamp() - min(real_created_at) FILTER (WHERE parked_reason IS NULL)) AS oldest
FROM outbox WHERE published_at IS NULL
"""

log = structlog.get_logger(__name__)


class Relay:
    """Publishes a service's outbox. `wake` is called after each commit that left rows in it."""

    def __init__(self, database: Database, bus: Bus, *, batch: int = 500) -> None:
        self._database = database
        self._bus = bus
        self._batch = batch
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """There are new rows."""
        self._awake.set()

    async def run(self) -> None:
        """Relays until cancelled; PostgreSQL and NATS may come and go."""
        while True:
            try:
                await self._run_on_one_connection()
            except Exception as error:
                if not is_database_trouble(error):
                    log.exception("relay_failed")
                await asyncio.sleep(RETRY_SECONDS)

    async def _run_on_one_connection(self) -> None:
        session = await self._database.dedicated_connection(_SESSION)
        try:
            while not await session.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                await self._pass_on_wakes(session)
            log.info("relay_active")
            await session.add_listener(CHANNEL, lambda *_: self.wake())
            await self._relay(session)
        finally:
            session.terminate()

    async def _pass_on_wakes(self, session: asyncpg.Connection[Any]) -> None:
        """For a while, tells the active relay of this process's commits; many commits make one notification."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                while True:
                    await self._awake.wait()
                    self._awake.clear()
                    await session.execute(f"NOTIFY {CHANNEL}")
                    await asyncio.sleep(_NOTIFY_SECONDS)

    async def _relay(self, session: asyncpg.Connection[Any]) -> None:
        """Publishes batch after batch; what one batch has published is marked while the next one is read.

        No transaction around it: the advisory lock keeps other relays away, and a mark needs nothing but itself.
        """
        rows: list[asyncpg.Record] = []
        measured_at = -math.inf
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() >= measured_at + _MEASURE_SECONDS:
                await self._measure(session)
                measured_at = loop.time()
            connection = await self._bus_within(_MEASURE_SECONDS)
            if connection is None:
                rows = []  # too long ago: read again, whoever has published them since
                continue
            sending = _Sending(connection)
            await sending.send(rows)
            for row_id, reason in sending.parked.items():
                await session.execute(_PARK, row_id, reason)
            self._awake.clear()
            statement = _MARK_AND_NEXT if sending.published else _NEXT
            rows = await session.fetch(statement, self._batch, sending.published)
            if sending.away is not None:
                log.warning("relay_waits", reason=str(sending.away))
                rows = []
                await asyncio.sleep(RETRY_SECONDS)
            elif not rows:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._awake.wait()

    async def _bus_within(self, seconds: float) -> Connection | None:
        """The bus, or None when it stays away: what waits is measured all the same."""
        try:
            async with asyncio.timeout(seconds):
                return await self._bus.connected()
        except TimeoutError:
            return None

    async def _measure(self, session: asyncpg.Connection[Any]) -> None:
        measured = await session.fetchrow(_MEASURE)
        assert measured is not None
        outbox_waiting.set(measured["waiting"])
        outbox_parked.set(measured["parked"])
        outbox_oldest.set(float(measured["oldest"] or 0))


class _Sending:
    """One batch on its way: what the stream has acknowledged, what it will never take, and whether it went away."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.published: list[int] = []
        self.parked: dict[int, str] = {}
        self.away: BusAwayError | None = None

    async def send(self, rows: list[asyncpg.Record]) -> None:
        """Publishes in waves: the first rows of all entities side by side, then the second rows, and so on.

        So a row leaves only after the row of its entity before it is safe, and rows of different entities share the
        wait.
        """
        waves: defaultdict[int, list[asyncpg.Record]] = defaultdict(list)
        seen: defaultdict[str, int] = defaultdict(int)
        for row in rows:
            waves[seen[row["entity_id"]]].append(row)
            seen[row["entity_id"]] += 1
        for wave in waves.values():
            await self._send_wave(wave)
            if self.away is not None:
                return

    async def _send_wave(self, rows: list[asyncpg.Record]) -> None:
        under_way = []
        for row in rows:
            try:
                future = await self._connection.publish(
                    row["subject"], row["body"], _envelope(row).headers(), room=ROOM_FOR_REASONS
                )
            except PublishRefusedError as refused:
                self._park(row, refused)
            except BusAwayError as away:
                self.away = away
                break
            else:
                under_way.append((row, future))
        outcomes = await self._connection.settled([future for _, future in under_way])
        for (row, _), failure in zip(under_way, outcomes, strict=True):
            match failure:
                case None:
                    self.published.append(row["id"])
                case PublishRefusedError():
                    self._park(row, failure)
                case BusAwayError():
                    self.away = failure

    def _park(self, row: asyncpg.Record, refused: PublishRefusedError) -> None:
        log.error("event_parked", event_id=str(row["event_id"]), subject=row["subject"], reason=str(refused))
        self.parked[row["id"]] = str(refused)


def _envelope(row: asyncpg.Record) -> Envelope:
    headers = json.loads(row["headers"])
    subject: str = row["subject"]
    return Envelope(
        event_id=row["event_id"],
        type=headers["ce-type"],
        # What is passed on keeps the source and the time of what happened.
        source=headers.get("source") or subject.split(".")[1],
        entity_id=row["entity_id"],
        entity_version=row["entity_version"],
        case_id=row["case_id"],
        occurred_at=datetime.fromisoformat(headers["time"]) if "time" in headers else row["created_at"],
        traceparent=headers.get("traceparent", ""),
    )
