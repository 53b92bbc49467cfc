"""Who looked into which record, and who was refused: written down first, and into the log (REC-09)."""

from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import insert, select

from records.files.record import Record
from records.files.tables import ACCESSES
from records.log.entries import Kind, enter

# What somebody saw: the record's entry in the catalogue, its content, or its content in a package that they took along.
SHOWN = "shown"
OPENED = "opened"
EXPORTED = "exported"


async def trace_access(
    tx: UnitOfWork,
    record: Record,
    principal: Principal,
    outcome: str,
    *,
    request_id: UUID | None = None,
    purpose: str = "",
) -> UUID:
    """Leaves the trace of one look. `outcome`: as above, or the code of the fault that it was refused with.

    Returns the id of the log's entry.
    """
    access_id = uuid7()
    row = {
        "at": tx.now,
        "access_id": access_id,
        "user_id": principal.user_id,
        "roles": sorted(principal.roles),
        "record_id": record.record_id,
        "record_number": record.record_number,
        "version": record.version,
        "outcome": outcome,
        "request_id": request_id,
    }
    await tx.execute(_TRACE, row)
    facts = {
        "access_id": str(access_id),
        "user_id": principal.user_id,
        "record_number": record.record_number,
        "version": str(record.version),
        "outcome": outcome,
    }
    if request_id:
        facts |= {"request_id": str(request_id), "purpose": purpose}
    return await enter(tx, Kind.RECORD_SEEN, facts, record_id=record.record_id, version=record.version)


async def list_accesses(tx: UnitOfWork, record_id: UUID, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Looks into a record, newest first by id."""
    statement = select(ACCESSES).where(ACCESSES.c.record_id == record_id)
    if before is not None:
        statement = statement.where(ACCESSES.c.access_id < before)
    rows = await tx.execute(statement.order_by(ACCESSES.c.access_id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


_TRACE = insert(ACCESSES)
