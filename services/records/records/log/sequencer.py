"""Gives waiting entries their places, batch by batch, and signs a head over each batch.

One transaction is one batch, and one sequencer is at it at a time however many replicas run: the others find the lock
taken and wait for the next look. Filing itself only leaves an entry behind; nobody waits for the log.
"""

import asyncio

import structlog
from bihuan.records.v1 import events_pb2, log_pb2
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.signing import SigningKey
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from records.log.heads import Head, signed_bytes
from records.log.queries import find_head, read_tiles
from records.log.tables import HEADS, KEYS
from records.log.tiles import append, hashes_of, last_places

# The log's name in events; there is one.
LOG = "records"
BATCH = 1000
# How long entries gather before a head is signed over them.
GATHER_SECONDS = 0.05
# How often to look without having been woken: what another replica left behind.
POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
RETRY_DEFECT_SECONDS = 30.0
# Advisory locks are per database; the number only must not be used for anything else.
LOCK = 0x5E9_0E9C

_LOCK = "SELECT pg_try_advisory_xact_lock($1) AS taken"
_WAITING = "SELECT entry_id, leaf_hash FROM log_entries WHERE leaf_index IS NULL ORDER BY entry_id LIMIT $1"
_PLACE = """
UPDATE log_entries SET leaf_index = $1 + placed.number - 1
FROM unnest($2::uuid[]) WITH ORDINALITY AS placed (entry_id, number)
WHERE log_entries.entry_id = placed.entry_id
"""
_STORE = """
INSERT INTO log_tiles (level, tile_index, hashes)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes
"""
_REMEMBER_KEY = insert_or_keep(KEYS).on_conflict_do_nothing()

log = structlog.get_logger(__name__)


class Sequencer:
    """Runs beside the service. `wake` is called after each commit that may have left entries."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """There may be entries."""
        self._awake.set()

    async def run(self) -> None:
        """Sequences until cancelled; PostgreSQL may come and go."""
        while True:
            try:
                placed = await self._database.run("sequence_log", lambda tx: sequence(tx, self._key))
            except Fault as fault:
                log.info("sequencing_postponed", reason=fault.code)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:  # a damaged tree must not end the service: records are filed and opened all the same
                log.exception("sequencing_failed")
                await asyncio.sleep(RETRY_DEFECT_SECONDS)
                continue
            if placed < BATCH:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._awake.wait()
        except TimeoutError:
            return
        self._awake.clear()
        await asyncio.sleep(GATHER_SECONDS)


async def sequence(tx: UnitOfWork, key: SigningKey) -> int:
    """The next batch of waiting entries gets its places, in one transaction with the head; how many there were.

    None while another replica is at it.
    """
    if not (await tx.fetch(_LOCK, LOCK))[0]["taken"]:
        return 0
    waiting = await tx.fetch(_WAITING, BATCH)
    if not waiting:
        return 0
    before = await find_head(tx)
    first, serial = (before.tree_size, before.serial) if before else (0, 0)
    size = first + len(waiting)
    tiles = await read_tiles(tx, last_places(first))
    changed = append(tiles, first, [row["leaf_hash"] for row in waiting])
    (root,) = hashes_of([(0, size)], {**tiles, **changed})
    await tx.fetch(_PLACE, first, [row["entry_id"] for row in waiting])
    await tx.fetch(
        _STORE, [place.level for place in changed], [place.position for place in changed], list(changed.values())
    )
    await _sign(tx, key, size, serial + 1, root)
    return len(waiting)


async def _sign(tx: UnitOfWork, key: SigningKey, size: int, serial: int, root: bytes) -> None:
    timestamp_ms = int(tx.now.timestamp() * 1000)
    signature = key.sign(signed_bytes(size, timestamp_ms, root))
    head = Head(size, serial, timestamp_ms, root, signature, key.key_id)
    if not await tx.scalar(select(KEYS.c.key_id).where(KEYS.c.key_id == key.key_id)):
        await tx.execute(_REMEMBER_KEY, {"key_id": key.key_id, "x": key.x, "first_used_at": tx.now})
    values = {name: getattr(head, name) for name in Head.__slots__}
    await tx.execute(insert(HEADS), values)
    told = log_pb2.SignedTreeHead(**{name: value for name, value in values.items() if name != "serial"})
    tx.emit(events_pb2.TreeHeadSigned(log=LOG, head=told), version=serial)
