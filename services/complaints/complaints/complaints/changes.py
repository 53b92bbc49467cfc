"""What every change of one complaint has in common: it is locked and checked first, and stored with its traces last."""

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from complaints.complainants import KEYS
from complaints.complaints import store, texts
from complaints.complaints.access import require_visible
from complaints.complaints.complaint import Complaint
from complaints.complaints.steps import Step
from complaints.complaints.texts import Text
from complaints.desk import Desk


async def take_in_hand(tx: UnitOfWork, principal: Principal, reference: str, expected_version: int = 0) -> Complaint:
    """The complaint, locked for this transaction and for this principal to change.

    Raises Fault complaint_unknown, domain_forbidden or stale_version.
    """
    complaint = await store.lock(tx, reference)
    require_visible(complaint, principal, reference)
    if expected_version not in {0, complaint.version}:
        raise Fault("stale_version", version=complaint.version)
    return complaint


async def put_back(
    tx: UnitOfWork, desk: Desk, before: Complaint, step: Step, principal: Principal, *, words: Text | None = None
) -> Complaint:
    """Stores the step, and with it what somebody said on this occasion."""
    after = await store.save(tx, before, step, actor=principal.actor)
    if words is not None and words.text:
        key = await KEYS.key_for(tx, desk.sealer, before.customer_id)
        await texts.add(tx, desk.sealer, key, before, words)
    return after
