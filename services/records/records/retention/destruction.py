"""The destruction of one record, from the proposal to the certificate; and its rules. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from records.approvals import require_may_approve
from records.files.record import Record
from records.policy import Policy


class State(StrEnum):
    """The words behind the contract's DestructionState."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    DESTROYED = "destroyed"


class Destruction(SQLModel):
    """A destruction as a value. `DestructionRow` stores exactly these fields."""

    destruction_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    record_id: UUID
    record_number: str
    region: str
    reason: str = Field(sa_type=Text)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UTC_TIME)
    approvals_needed: int
    # User ids, in order.
    approved_by: list[str] = Field(sa_type=ARRAY(Text))
    rejected_by: str = ""
    destroyed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # The log's entry that certifies it.
    certificate_id: UUID | None = None


def require_destroyable(record: Record, *, on_hold: bool, now: datetime, policy: Policy) -> None:
    """Raises Fault record_destroyed, record_on_hold or retention_running."""
    if record.destroyed_at is not None:
        raise Fault("record_destroyed")
    if on_hold:
        raise Fault("record_on_hold")
    until = policy.retained_until(record)
    if now < until:
        raise Fault("retention_running", until=until.date().isoformat())


def approve(destruction: Destruction, principal: Principal, now: datetime) -> Destruction:
    """One more person agrees; the last one needed destroys.

    Raises Fault transition_forbidden, domain_forbidden, approval_own or approval_twice.
    """
    _require_proposed(destruction, "approve_destruction")
    require_may_approve(principal, destruction.region, destruction.proposed_by, destruction.approved_by)
    agreed = [*destruction.approved_by, principal.user_id]
    if len(agreed) < destruction.approvals_needed:
        return _next(destruction, approved_by=agreed)
    return _next(destruction, approved_by=agreed, state=State.DESTROYED, destroyed_at=now)


def reject(destruction: Destruction, principal: Principal) -> Destruction:
    """Somebody of the region does not agree, or took it back. Raises Fault transition_forbidden, domain_forbidden."""
    _require_proposed(destruction, "reject_destruction")
    principal.require_region(destruction.region)
    return _next(destruction, state=State.REJECTED, rejected_by=principal.user_id)


def _require_proposed(destruction: Destruction, action: str) -> None:
    if destruction.state != State.PROPOSED:
        raise Fault("transition_forbidden", action=action, state=destruction.state.value)


def _next(destruction: Destruction, **changes: Any) -> Destruction:
    return destruction.model_copy(update={"version": destruction.version + 1, **changes})
