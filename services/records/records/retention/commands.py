"""Destroying records after their time, by two people, with a certificate; each is one transaction (REC-06)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bihuan.records.v1 import events_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import Select, delete, insert, select, update

from records.files.queries import find_record, lock_record
from records.files.record import Record
from records.files.tables import RECORDS, VERSIONS
from records.log.entries import Kind, enter
from records.log.tables import ENTRIES
from records.policy import Policy
from records.retention import destruction as rules
from records.retention.destruction import Destruction, State
from records.retention.holds import held_among
from records.retention.tables import DESTRUCTIONS


async def propose_destruction(
    tx: UnitOfWork, reference: str, *, reason: str, key: CreationKey, principal: Principal, policy: Policy
) -> Destruction:
    """A proposal that others must approve. The same key gives the same again.

    Raises Fault record_unknown, domain_forbidden, record_destroyed, record_on_hold, retention_running, or
    destruction_open while another proposal of the record is.
    """
    destruction_id, is_new = await claim_id(tx, "propose_destruction", key, principal)
    if not is_new:
        return await find_destruction(tx, destruction_id)
    # Locked, so that there is one open proposal at most.
    record = await lock_record(tx, (await find_record(tx, reference)).record_id)
    principal.require_region(record.region)
    await _require_destroyable(tx, record, policy)
    open_already = (DESTRUCTIONS.c.record_id == record.record_id) & (DESTRUCTIONS.c.state == State.PROPOSED)
    if await tx.scalar(select(DESTRUCTIONS.c.destruction_id).where(open_already).limit(1)):
        raise Fault("destruction_open")
    proposed = Destruction(
        destruction_id=destruction_id,
        version=1,
        state=State.PROPOSED,
        record_id=record.record_id,
        record_number=record.record_number,
        region=record.region,
        reason=reason,
        proposed_by=principal.user_id,
        proposed_at=tx.now,
        approvals_needed=policy.destruction_approvals,
        approved_by=[],
    )
    await tx.execute(insert(DESTRUCTIONS), proposed.model_dump())
    event = events_pb2.DestructionProposed(**_named(proposed), proposed_by=principal.user_id)
    tx.emit(event, version=proposed.version)
    await _enter(tx, proposed, Kind.DESTRUCTION_PROPOSED, proposed_by=principal.user_id, reason=reason)
    return proposed


async def approve_destruction(
    tx: UnitOfWork, destruction_id: UUID, *, expected_version: int, principal: Principal, policy: Policy
) -> Destruction:
    """One more person agrees. The last one needed destroys the content, for good, in this transaction.

    Raises Fault destruction_unknown, stale_version, as `destruction.approve`, and as `propose_destruction` when a hold
    was placed meanwhile.
    """
    before = await _lock(tx, destruction_id, expected_version)
    record = await lock_record(tx, before.record_id)
    await _require_destroyable(tx, record, policy)
    after = rules.approve(before, principal, tx.now)
    await _enter(tx, after, Kind.DESTRUCTION_APPROVED, approved_by=principal.user_id)
    if after.state != State.DESTROYED:
        approved = events_pb2.DestructionApproved(**_named(after), approved_by=principal.user_id)
        return await _save(tx, after, approved)
    certified = after.model_copy(update={"certificate_id": await _certify(tx, after, record, policy)})
    await _destroy(tx, record)
    return await _save(tx, certified, events_pb2.RecordDestroyed(**_named(after)))


async def reject_destruction(
    tx: UnitOfWork, destruction_id: UUID, *, expected_version: int, principal: Principal
) -> Destruction:
    """The record stays. Raises Fault destruction_unknown, stale_version, and as `destruction.reject`."""
    after = rules.reject(await _lock(tx, destruction_id, expected_version), principal)
    await _enter(tx, after, Kind.DESTRUCTION_REJECTED, rejected_by=principal.user_id)
    return await _save(tx, after, events_pb2.DestructionRejected(**_named(after), rejected_by=principal.user_id))


async def find_destruction(tx: UnitOfWork, destruction_id: UUID) -> Destruction:
    """Raises Fault destruction_unknown."""
    return await _one(tx, select(DESTRUCTIONS).where(DESTRUCTIONS.c.destruction_id == destruction_id))


async def _certify(tx: UnitOfWork, destruction: Destruction, record: Record, policy: Policy) -> UUID:
    """The entry that stays when everything else is gone: what was destroyed, why, and who agreed."""
    return await _enter(
        tx,
        destruction,
        Kind.RECORD_DESTROYED,
        record_class=record.record_class,
        versions=str(record.version),
        content_hash=record.content_hash,
        retained_until=policy.retained_until(record).isoformat(),
        reason=destruction.reason,
        proposed_by=destruction.proposed_by,
        approved_by=", ".join(destruction.approved_by),
    )


async def _destroy(tx: UnitOfWork, record: Record) -> None:
    """Every version's content goes, and with it the bytes of its log entries: what remains there are salted hashes."""
    await tx.execute(delete(VERSIONS).where(VERSIONS.c.record_id == record.record_id))
    filed = (ENTRIES.c.record_id == record.record_id) & (ENTRIES.c.kind == Kind.RECORD_FILED.value)
    await tx.execute(update(ENTRIES).where(filed).values(entry=None))
    emptied = {"destroyed_at": tx.now, "result": "", "staff": [], "customer_id": None}
    await tx.execute(update(RECORDS).where(RECORDS.c.record_id == record.record_id).values(emptied))


async def _require_destroyable(tx: UnitOfWork, record: Record, policy: Policy) -> None:
    on_hold = bool(await held_among(tx, [record.record_id]))
    rules.require_destroyable(record, on_hold=on_hold, now=tx.now, policy=policy)


async def _enter(tx: UnitOfWork, destruction: Destruction, kind: Kind, **facts: str) -> UUID:
    return await enter(
        tx,
        kind,
        {**_named(destruction), "record_number": destruction.record_number, **facts},
        record_id=destruction.record_id,
    )


async def _lock(tx: UnitOfWork, destruction_id: UUID, expected_version: int) -> Destruction:
    statement = select(DESTRUCTIONS).where(DESTRUCTIONS.c.destruction_id == destruction_id).with_for_update()
    destruction = await _one(tx, statement)
    if expected_version not in {0, destruction.version}:
        raise Fault("stale_version")
    return destruction


async def _save(tx: UnitOfWork, after: Destruction, event: Any) -> Destruction:
    values = after.model_dump(exclude={"destruction_id"})
    same = DESTRUCTIONS.c.destruction_id == after.destruction_id
    await tx.execute(update(DESTRUCTIONS).where(same).values(values))
    tx.emit(event, version=after.version)
    return after


async def _one(tx: UnitOfWork, statement: Select[Any]) -> Destruction:
    rows: Sequence[Any] = (await tx.execute(statement)).all()
    if not rows:
        raise Fault("destruction_unknown")
    return Destruction.model_validate(rows[0]._asdict())


def _named(destruction: Destruction) -> dict[str, str]:
    return {"destruction_id": str(destruction.destruction_id), "record_id": str(destruction.record_id)}
