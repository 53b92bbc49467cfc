"""What an audit compares: entries of the log beside what the archive holds today (REC-04)."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork
from sqlalchemy import and_, select

from records.files.catalogue import catalogue_hash
from records.files.record import Record
from records.files.tables import CONTENT_HASH, RECORDS, VERSIONS
from records.log.entries import Kind
from records.log.heads import Head
from records.log.queries import get_head
from records.log.tables import ENTRIES


@dataclass(frozen=True, slots=True)
class Audited:
    """One entry, and its facts computed anew from today's rows: of what was filed, and nothing of the others."""

    leaf_index: int
    entry: bytes
    leaf_hash: bytes
    kind: str
    record_id: UUID | None
    version: int
    found: Mapping[str, str]


async def list_entries(tx: UnitOfWork, *, from_index: int, limit: int) -> tuple[list[Audited], Head]:
    """Entries in the order of the log, up to the newest head, which comes with them.

    Raises Fault log_entry_waiting for an empty log.
    """
    head = await get_head(tx)
    in_order = (
        select(ENTRIES)
        .where(ENTRIES.c.leaf_index >= from_index, ENTRIES.c.leaf_index < head.tree_size)
        .order_by(ENTRIES.c.leaf_index)
        .limit(limit)
    )
    rows = (await tx.execute(in_order)).all()
    filed = {row.record_id for row in rows if row.kind == Kind.RECORD_FILED.value}
    versions = await _versions(tx, filed)
    catalogue = await _catalogue(tx, filed)
    entries = [
        Audited(
            leaf_index=row.leaf_index,
            entry=row.entry or b"",
            leaf_hash=row.leaf_hash,
            kind=row.kind,
            record_id=row.record_id,
            version=row.version,
            found=_found(row.record_id, row.version, versions, catalogue)
            if row.kind == Kind.RECORD_FILED.value
            else {},
        )
        for row in rows
    ]
    return entries, head


def _found(
    record_id: UUID, version: int, versions: Mapping[tuple[UUID, int], str], catalogue: Mapping[UUID, Record]
) -> dict[str, str]:
    found: dict[str, str] = {}
    if (record_id, version) in versions:
        found["content_hash"] = versions[record_id, version]
    record = catalogue.get(record_id)
    # The catalogue has the newest version only; one that is older than its log has been put back.
    if record is not None and version >= record.version:
        found["catalogue_hash"] = catalogue_hash(record)
    return found


async def _versions(tx: UnitOfWork, record_ids: set[UUID]) -> dict[tuple[UUID, int], str]:
    statement = select(VERSIONS.c.record_id, VERSIONS.c.version, CONTENT_HASH.label("content_hash")).where(
        VERSIONS.c.record_id.in_(record_ids)
    )
    return {(row.record_id, row.version): row.content_hash for row in await tx.execute(statement)}


async def _catalogue(tx: UnitOfWork, record_ids: set[UUID]) -> dict[UUID, Record]:
    rows = await tx.execute(select(RECORDS).where(and_(RECORDS.c.record_id.in_(record_ids))))
    return {row.record_id: Record.model_validate(row._asdict()) for row in rows}
