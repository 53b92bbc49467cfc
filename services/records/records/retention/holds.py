"""Placing and releasing holds: each is one use case in one transaction (REC-06)."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from bihuan.records.v1 import events_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import Select, insert, select, update

from records.files.queries import find_record, lock_record
from records.log.entries import Kind, enter
from records.retention.hold import Hold
from records.retention.tables import HOLDS


async def place_hold(tx: UnitOfWork, reference: str, *, reason: str, key: CreationKey, principal: Principal) -> Hold:
    """The record is kept from now on. There may be several holds, each with its own reason. The same key gives the same
    again.

    Raises Fault record_unknown, domain_forbidden or record_destroyed.
    """
    hold_id, is_new = await claim_id(tx, "place_hold", key, principal)
    if not is_new:
        return await _one(tx, select(HOLDS).where(HOLDS.c.hold_id == hold_id))
    # Locked, so that no destruction slips in between.
    record = await lock_record(tx, (await find_record(tx, reference)).record_id)
    principal.require_region(record.region)
    if record.destroyed_at is not None:
        raise Fault("record_destroyed")
    hold = Hold(
        hold_id=hold_id,
        version=1,
        record_id=record.record_id,
        record_number=record.record_number,
        region=record.region,
        reason=reason,
        placed_by=principal.user_id,
        placed_at=tx.now,
    )
    await tx.execute(insert(HOLDS), hold.model_dump())
    named = {"hold_id": str(hold.hold_id), "record_id": str(hold.record_id)}
    tx.emit(events_pb2.HoldPlaced(**named, placed_by=hold.placed_by), version=hold.version)
    facts = {**named, "placed_by": hold.placed_by, "reason": reason}
    await enter(tx, Kind.HOLD_PLACED, facts, record_id=hold.record_id)
    return hold


async def release_hold(tx: UnitOfWork, hold_id: UUID, principal: Principal) -> Hold:
    """It no longer counts. Raises Fault hold_unknown, domain_forbidden or transition_forbidden."""
    before = await _one(tx, select(HOLDS).where(HOLDS.c.hold_id == hold_id).with_for_update())
    principal.require_region(before.region)
    if before.released_at is not None:
        raise Fault("transition_forbidden", action="release_hold", state="released")
    changes = {"version": before.version + 1, "released_by": principal.user_id, "released_at": tx.now}
    await tx.execute(update(HOLDS).where(HOLDS.c.hold_id == hold_id).values(changes))
    named = {"hold_id": str(hold_id), "record_id": str(before.record_id)}
    tx.emit(events_pb2.HoldReleased(**named, released_by=principal.user_id), version=before.version + 1)
    facts = {**named, "released_by": principal.user_id}
    await enter(tx, Kind.HOLD_RELEASED, facts, record_id=before.record_id)
    return before.model_copy(update=changes)


async def list_holds(
    tx: UnitOfWork, reference: str, principal: Principal, *, after: UUID | None = None, limit: int
) -> list[Hold]:
    """Holds of a record, oldest first by id. Raises Fault record_unknown or domain_forbidden."""
    record = await find_record(tx, reference)
    principal.require_region(record.region)
    statement = select(HOLDS).where(HOLDS.c.record_id == record.record_id)
    if after is not None:
        statement = statement.where(HOLDS.c.hold_id > after)
    rows = await tx.execute(statement.order_by(HOLDS.c.hold_id).limit(limit))
    return [Hold.model_validate(row._asdict()) for row in rows]


async def held_among(tx: UnitOfWork, record_ids: Collection[UUID]) -> set[UUID]:
    """Which of these records somebody holds."""
    standing = select(HOLDS.c.record_id).where(HOLDS.c.record_id.in_(record_ids), HOLDS.c.released_at.is_(None))
    return set((await tx.execute(standing)).scalars())


async def _one(tx: UnitOfWork, statement: Select[Any]) -> Hold:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("hold_unknown")
    return Hold.model_validate(row._asdict())
