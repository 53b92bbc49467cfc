"""Asking for a record, deciding on it, opening it: each is one use case in one transaction (REC-03, REC-09).

A refused request or opening leaves its trace, so its Fault is returned: raised, it would undo the trace.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed
from bihuan.records.v1 import events_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.identity import Principal

from records.accesses import rules, store
from records.accesses.request import AccessRequest, State
from records.accesses.trail import EXPORTED, OPENED, trace_access
from records.files.queries import find_record, read_version
from records.files.record import Record
from records.log.entries import Kind, enter
from records.policy import APPROVAL, OPENING, Policy
from servicekit import deadlines


@dataclass(frozen=True, slots=True)
class Opened:
    """A record with the content of its newest version, as one person sees it now."""

    record: Record
    content: CaseClosed | ComplaintClosed
    request: AccessRequest
    opened_at: datetime
    # The log's entry of this opening.
    entry_id: UUID


async def request_access(
    tx: UnitOfWork, reference: str, *, purpose: str, key: CreationKey, principal: Principal, policy: Policy
) -> AccessRequest | Fault:
    """A request for one record, approved at once where its grade needs nobody else. The same key gives the same again.

    Raises Fault purpose_required or record_unknown. Returned, with a trace: domain_forbidden, grade_forbidden,
    record_destroyed.
    """
    purpose = rules.require_purpose(purpose)
    record = await find_record(tx, reference)
    try:
        rules.require_may_ask(record, principal, policy)
    except Fault as refusal:
        await trace_access(tx, record, principal, refusal.code)
        return refusal
    # Only now: the trace of a refusal is committed, and a key with it would be spent on nothing.
    request_id, is_new = await claim_id(tx, "request_access", key, principal)
    if not is_new:
        return await store.find(tx, request_id)
    request = rules.ask(record, request_id, principal, purpose=purpose, now=tx.now, policy=policy)
    await store.add(tx, request)
    await _start_clock(tx, request)
    requested = events_pb2.AccessRequested(
        request_id=str(request_id),
        record_id=str(record.record_id),
        grade=f"DATA_GRADE_{record.grade.upper()}",
        region=record.region,
        requested_by=principal.user_id,
        approvals_needed=request.approvals_needed,
    )
    tx.emit(requested, version=request.version)
    facts = {
        "request_id": str(request_id),
        "record_number": record.record_number,
        "requested_by": principal.user_id,
        "purpose": purpose,
    }
    await enter(tx, Kind.ACCESS_REQUESTED, facts, record_id=record.record_id)
    return request


async def approve_access(
    tx: UnitOfWork, request_id: UUID, *, expected_version: int, principal: Principal, policy: Policy
) -> AccessRequest:
    """Raises Fault access_request_unknown, stale_version, and as `rules.approve`."""
    before = await store.lock(tx, request_id, expected_version)
    record = await find_record(tx, str(before.record_id))
    after = rules.approve(before, record, principal, now=tx.now, policy=policy)
    may_open = after.state == State.APPROVED
    approved = events_pb2.AccessApproved(**_named(after), approved_by=principal.user_id, may_open=may_open)
    await store.save(tx, after, approved, Kind.ACCESS_APPROVED, approved_by=principal.user_id)
    if may_open:
        await deadlines.meet(tx, [str(request_id)], [APPROVAL])
        await _start_clock(tx, after)
    return after


async def reject_access(
    tx: UnitOfWork, request_id: UUID, *, reason: str, expected_version: int, principal: Principal
) -> AccessRequest:
    """Raises as `approve_access`."""
    before = await store.lock(tx, request_id, expected_version)
    after = rules.reject(before, principal, reason)
    rejected = events_pb2.AccessRejected(**_named(after), rejected_by=principal.user_id)
    await store.save(tx, after, rejected, Kind.ACCESS_REJECTED, rejected_by=principal.user_id)
    await deadlines.meet(tx, [str(request_id)], [APPROVAL])
    return after


async def expire_access(tx: UnitOfWork, request_id: UUID) -> None:
    """A clock of the request ran out. One that was decided otherwise meanwhile stays so."""
    before = await store.lock(tx, request_id)
    if before.state in {State.PENDING, State.APPROVED}:
        after = rules.expire(before)
        await store.save(tx, after, events_pb2.AccessExpired(**_named(after)), Kind.ACCESS_EXPIRED)


async def open_record(
    tx: UnitOfWork, request_id: UUID, principal: Principal, *, policy: Policy, exported: bool = False
) -> Opened | Fault:
    """The record's content for who asked, with a trace; `exported`: as a package that leaves the platform.

    Raises Fault access_request_unknown. Returned, with a trace: as `rules.use`.
    """
    before = await store.lock(tx, request_id)
    record = await find_record(tx, str(before.record_id))
    try:
        after = rules.use(before, record, principal, now=tx.now, policy=policy)
    except Fault as refusal:
        await trace_access(tx, record, principal, refusal.code, request_id=request_id, purpose=before.purpose)
        return refusal
    outcome = EXPORTED if exported else OPENED
    entry_id = await trace_access(tx, record, principal, outcome, request_id=request_id, purpose=before.purpose)
    opened = events_pb2.RecordOpened(**_named(after), opened_by=principal.user_id, exported=exported)
    await store.save(tx, after, opened)
    return Opened(record, await read_version(tx, record), after, tx.now, entry_id)


async def enter_package(tx: UnitOfWork, opened: Opened, sha256: str) -> None:
    """The checksum of a package enters the log before it leaves: whether a package is the one that was given out."""
    facts = {
        "record_id": str(opened.record.record_id),
        "record_number": opened.record.record_number,
        "version": str(opened.record.version),
        "request_id": str(opened.request.request_id),
        "opening": str(opened.entry_id),
        "sha256": sha256,
    }
    await enter(tx, Kind.RECORD_EXPORTED, facts, record_id=opened.record.record_id, version=opened.record.version)


async def _start_clock(tx: UnitOfWork, request: AccessRequest) -> None:
    """Undecided, it lapses; approved, it is open for a time."""
    clock = OPENING if request.state == State.APPROVED else APPROVAL
    start = Start(clock, str(request.request_id), responsible=request.requested_by, due_at=request.expires_at)
    await deadlines.start(tx, [start])


def _named(request: AccessRequest) -> dict[str, str]:
    return {"request_id": str(request.request_id), "record_id": str(request.record_id)}
