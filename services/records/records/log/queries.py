"""Reading the log: heads, proofs, keys. Proofs come from a few tiles, whatever the size of the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.signing import SigningKey
from sqlalchemy import ColumnElement, select

from records.log.entries import Kind
from records.log.heads import Head
from records.log.tables import ENTRIES, HEADS, KEYS
from records.log.tiles import Place, hashes_of, places_of
from records.log.tree import Range, consistency_ranges, inclusion_ranges

_TILES = """
SELECT level, tile_index, hashes FROM log_tiles
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (level, tile_index) USING (level, tile_index)
"""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry with its way up to a head; `entry` is empty when its bytes were destroyed."""

    entry: bytes
    leaf_index: int
    leaf_hash: bytes
    path: Sequence[bytes]
    head: Head


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of `first_size` entries is the beginning of `head`'s."""

    first_size: int
    path: Sequence[bytes]
    head: Head


async def find_head(tx: UnitOfWork) -> Head | None:
    """The newest head, or None while the log is empty."""
    row = (await tx.execute(select(HEADS).order_by(HEADS.c.tree_size.desc()).limit(1))).one_or_none()
    return Head(**row._asdict()) if row else None


async def get_head(tx: UnitOfWork, tree_size: int = 0) -> Head:
    """The head of a size, or the newest (0). Raises Fault log_size_invalid, or log_entry_waiting for an empty log."""
    if not tree_size:
        if head := await find_head(tx):
            return head
        raise Fault("log_entry_waiting")
    row = (await tx.execute(select(HEADS).where(HEADS.c.tree_size == tree_size))).one_or_none()
    if row is None:
        raise Fault("log_size_invalid", field="tree_size")
    return Head(**row._asdict())


async def prove_leaf(tx: UnitOfWork, leaf_hash: bytes, tree_size: int = 0) -> Inclusion:
    """That the leaf is in the log of that size. Raises Fault log_entry_unknown, log_entry_waiting, log_size_invalid."""
    return await _prove(tx, ENTRIES.c.leaf_hash == leaf_hash, await get_head(tx, tree_size))


async def prove_entry(tx: UnitOfWork, entry_id: UUID) -> Inclusion:
    """The same of an entry, for the newest head."""
    return await _prove(tx, ENTRIES.c.entry_id == entry_id, await get_head(tx))


async def prove_versions(tx: UnitOfWork, record_id: UUID, versions: Iterable[int]) -> list[Inclusion]:
    """The same of each of these versions of a record, all for one head."""
    head = await get_head(tx)
    of_record = (ENTRIES.c.kind == Kind.RECORD_FILED.value) & (ENTRIES.c.record_id == record_id)
    return [await _prove(tx, of_record & (ENTRIES.c.version == version), head) for version in versions]


async def prove_consistency(tx: UnitOfWork, first_size: int, second_size: int = 0) -> Consistency:
    """That nothing before `first_size` was changed or taken out since. Raises Fault log_size_invalid."""
    head = await get_head(tx, second_size)
    path = await _hashes(tx, consistency_ranges(first_size, head.tree_size))
    return Consistency(first_size, path, head)


async def list_keys(tx: UnitOfWork, key: SigningKey) -> dict[str, str]:
    """Every public key that a head was signed with: `x` by key id, the present one first."""
    rows = await tx.execute(select(KEYS.c.key_id, KEYS.c.x).order_by(KEYS.c.first_used_at.desc()))
    return {key.key_id: key.x} | {row.key_id: row.x for row in rows}


async def read_tiles(tx: UnitOfWork, places: Iterable[Place]) -> dict[Place, bytes]:
    """The tiles of these places, as far as they exist."""
    wanted = list(places)
    rows = await tx.fetch(_TILES, [place.level for place in wanted], [place.position for place in wanted])
    return {Place(row["level"], row["tile_index"]): row["hashes"] for row in rows}


async def _prove(tx: UnitOfWork, which: ColumnElement[bool], head: Head) -> Inclusion:
    row = (await tx.execute(select(ENTRIES.c.leaf_index, ENTRIES.c.entry, ENTRIES.c.leaf_hash).where(which))).first()
    if row is None:
        raise Fault("log_entry_unknown")
    if row.leaf_index is None:
        raise Fault("log_entry_waiting")
    path = await _hashes(tx, inclusion_ranges(row.leaf_index, head.tree_size))
    return Inclusion(row.entry or b"", row.leaf_index, row.leaf_hash, path, head)


async def _hashes(tx: UnitOfWork, ranges: Sequence[Range]) -> list[bytes]:
    return hashes_of(ranges, await read_tiles(tx, places_of(ranges)))
