"""What a request may become, and who may decide it (REC-03). Pure: each takes a request and gives the next version."""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.errors import Fault
from servicekit.identity import Principal

from records.accesses.request import AccessRequest, State
from records.approvals import require_may_approve
from records.files.record import Record
from records.policy import Policy


def require_may_ask(record: Record, principal: Principal, policy: Policy) -> None:
    """Raises Fault domain_forbidden, grade_forbidden or record_destroyed."""
    principal.require_region(record.region)
    if not principal.has(*policy.grades[record.grade].opened_to):
        raise Fault("grade_forbidden", grade=record.grade)
    if record.destroyed_at is not None:
        raise Fault("record_destroyed")


def ask(
    record: Record, request_id: UUID, principal: Principal, *, purpose: str, now: datetime, policy: Policy
) -> AccessRequest:
    """A new request; where its grade needs no approval, it is approved at once."""
    needed = policy.grades[record.grade].approvals
    return AccessRequest(
        request_id=request_id,
        version=1,
        state=State.PENDING if needed else State.APPROVED,
        record_id=record.record_id,
        record_number=record.record_number,
        grade=record.grade,
        region=record.region,
        purpose=purpose,
        requested_by=principal.user_id,
        requested_at=now,
        approvals_needed=needed,
        approved_by=[],
        expires_at=None if needed else now + policy.opening,
    )


def require_purpose(purpose: str) -> str:
    """The purpose without blanks around it. Raises Fault purpose_required when nothing is left."""
    if not purpose.strip():
        raise Fault("purpose_required", field="purpose")
    return purpose.strip()


def approve(
    request: AccessRequest, record: Record, principal: Principal, *, now: datetime, policy: Policy
) -> AccessRequest:
    """One more person agrees; the last one needed opens it for a time.

    Raises Fault transition_forbidden, domain_forbidden, approval_own, approval_twice or grade_raised.
    """
    _require_pending(request, "approve_access")
    require_may_approve(principal, request.region, request.requested_by, request.approved_by)
    _require_grade(request, record, policy)
    agreed = [*request.approved_by, principal.user_id]
    if len(agreed) < request.approvals_needed:
        return _next(request, approved_by=agreed)
    return _next(request, approved_by=agreed, state=State.APPROVED, expires_at=now + policy.opening)


def reject(request: AccessRequest, principal: Principal, reason: str) -> AccessRequest:
    """Somebody who might have agreed does not. Raises as `approve`, but whatever the grade has become."""
    _require_pending(request, "reject_access")
    require_may_approve(principal, request.region, request.requested_by, request.approved_by)
    return _next(request, state=State.REJECTED, rejected_by=principal.user_id, rejected_reason=reason)


def expire(request: AccessRequest) -> AccessRequest:
    """Its time is over. Raises Fault transition_forbidden for one that was decided otherwise."""
    if request.state not in {State.PENDING, State.APPROVED}:
        raise Fault("transition_forbidden", action="expire_access", state=request.state.value)
    return _next(request, state=State.EXPIRED)


def use(
    request: AccessRequest, record: Record, principal: Principal, *, now: datetime, policy: Policy
) -> AccessRequest:
    """Who asked opens it once more, if they still might ask.

    Raises Fault not_yours, domain_forbidden, grade_forbidden, record_destroyed, grade_raised or access_not_open.
    """
    if principal.user_id != request.requested_by:
        raise Fault("not_yours")
    require_may_ask(record, principal, policy)
    _require_grade(request, record, policy)
    if not request.may_be_opened(now):
        over = State.EXPIRED if request.state == State.APPROVED else request.state
        raise Fault("access_not_open", state=over.value)
    return _next(request, opened_times=request.opened_times + 1)


def _require_grade(request: AccessRequest, record: Record, policy: Policy) -> None:
    """What others agreed to, or nobody had to, was the grade of that time."""
    if policy.grades[record.grade].rank > policy.grades[request.grade].rank:
        raise Fault("grade_raised", grade=record.grade)


def _require_pending(request: AccessRequest, action: str) -> None:
    if request.state != State.PENDING:
        raise Fault("transition_forbidden", action=action, state=request.state.value)


def _next(request: AccessRequest, **changes: Any) -> AccessRequest:
    return request.model_copy(update={"version": request.version + 1, **changes})
