"""What records' values look like in the contract. Pure."""

from collections.abc import Mapping
from typing import Any

from bihuan.records.v1 import accesses_pb2, log_pb2, records_pb2, retention_pb2

from records.accesses.store import View
from records.files.record import Record
from records.log.audit import Audited
from records.log.heads import Head
from records.log.queries import Inclusion
from records.policy import Policy
from records.retention.destruction import Destruction
from records.retention.hold import Hold

DEFAULT_PAGE = 50


def catalogued(record: Record, policy: Policy, *, on_hold: bool = False) -> records_pb2.Record:
    """Everything but the content."""
    return records_pb2.Record(
        record_id=str(record.record_id),
        record_number=record.record_number,
        version=record.version,
        case_id=str(record.case_id),
        case_number=record.case_number,
        grade=f"DATA_GRADE_{record.grade.upper()}",
        category=record.category,
        kind=record.kind,
        region=record.region,
        customer_id=str(record.customer_id or ""),
        staff=record.staff,
        outcome=f"CASE_OUTCOME_{record.outcome.upper()}",
        satisfaction=record.satisfaction,
        accepted_at=record.accepted_at,
        closed_at=record.closed_at,
        filed_at=record.filed_at,
        complete=record.complete,
        missing=record.missing,
        content_hash=record.content_hash,
        record_class=record.record_class,
        retained_until=policy.retained_until(record),
        on_hold=on_hold,
        destroyed_at=record.destroyed_at,
    )


def request_message(view: View) -> accesses_pb2.AccessRequest:
    request = view.request
    return accesses_pb2.AccessRequest(
        request_id=str(request.request_id),
        version=request.version,
        state=f"ACCESS_REQUEST_STATE_{request.state.upper()}",
        record_id=str(request.record_id),
        record_number=request.record_number,
        grade=f"DATA_GRADE_{request.grade.upper()}",
        region=request.region,
        purpose=request.purpose,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        approvals_needed=request.approvals_needed,
        approved_by=request.approved_by,
        rejected_by=request.rejected_by,
        rejected_reason=request.rejected_reason,
        expires_at=request.expires_at,
        opened_times=request.opened_times,
        clocks=view.clocks,
    )


def access_message(access: Mapping[str, Any]) -> accesses_pb2.RecordAccess:
    return accesses_pb2.RecordAccess(
        access_id=str(access["access_id"]),
        at=access["at"],
        user_id=access["user_id"],
        roles=access["roles"],
        version=access["version"],
        outcome=access["outcome"],
        request_id=str(access["request_id"] or ""),
    )


def hold_message(hold: Hold) -> retention_pb2.Hold:
    return retention_pb2.Hold(
        hold_id=str(hold.hold_id),
        version=hold.version,
        record_id=str(hold.record_id),
        record_number=hold.record_number,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        released_by=hold.released_by,
        released_at=hold.released_at,
    )


def destruction_message(destruction: Destruction) -> retention_pb2.Destruction:
    return retention_pb2.Destruction(
        destruction_id=str(destruction.destruction_id),
        version=destruction.version,
        state=f"DESTRUCTION_STATE_{destruction.state.upper()}",
        record_id=str(destruction.record_id),
        record_number=destruction.record_number,
        region=destruction.region,
        reason=destruction.reason,
        proposed_by=destruction.proposed_by,
        proposed_at=destruction.proposed_at,
        approvals_needed=destruction.approvals_needed,
        approved_by=destruction.approved_by,
        rejected_by=destruction.rejected_by,
        destroyed_at=destruction.destroyed_at,
    )


def head_message(head: Head) -> log_pb2.SignedTreeHead:
    return log_pb2.SignedTreeHead(
        tree_size=head.tree_size,
        timestamp_ms=head.timestamp_ms,
        root_hash=head.root_hash,
        signature=head.signature,
        key_id=head.key_id,
    )


def inclusion_message(inclusion: Inclusion) -> log_pb2.InclusionProof:
    return log_pb2.InclusionProof(
        entry=inclusion.entry,
        leaf_index=inclusion.leaf_index,
        leaf_hash=inclusion.leaf_hash,
        path=inclusion.path,
        head=head_message(inclusion.head),
    )


def entry_message(entry: Audited) -> log_pb2.LogEntry:
    return log_pb2.LogEntry(
        leaf_index=entry.leaf_index,
        entry=entry.entry,
        leaf_hash=entry.leaf_hash,
        kind=entry.kind,
        record_id=str(entry.record_id or ""),
        version=entry.version,
        found=entry.found,
    )


def keys_message(keys: Mapping[str, str]) -> log_pb2.ListLogKeysResponse:
    """`keys`: `x` by key id."""
    return log_pb2.ListLogKeysResponse(
        keys=[log_pb2.LogKey(kty="OKP", crv="Ed25519", x=x, kid=key_id) for key_id, x in keys.items()]
    )
