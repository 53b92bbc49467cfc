"""Registering a complaint: directly, or taken over from a case of intake (CMP-01, CMP-02, INT-02)."""

from datetime import UTC, datetime
from uuid import UUID

from bihuan.complaints.v1 import commands_pb2, requests_pb2
from servicekit.casenumbers import issue, serials
from servicekit.customerkeys import seal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.keywords import Found
from servicekit.moments import CHINA_TIME
from sqlalchemy import select

from complaints.complainants import KEYS
from complaints.complaints import rules, store
from complaints.complaints.complaint import Complaint, Stage
from complaints.complaints.tables import COMPLAINTS, NUMBERS
from complaints.desk import Desk
from complaints.proposals import Proposal

NUMBER_PREFIX = "C"
KEY_SCOPE = "register_complaint"
SYSTEM = "system"


async def register_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.RegisterComplaintRequest, language: str
) -> Complaint:
    """Accepts a complaint; whoever takes it first answers for it, or the region's duty owner (CMP-01).

    Raises Fault for a word that the standards don't know, customer_unknown without a customer, customer_erased, and
    domain_forbidden.
    """
    _require_known(request, desk)
    customer_id = _customer_of(request, principal)
    if not principal.is_customer:
        principal.require_region(request.region)
    complaint_id = uuid7()
    fingerprint = desk.sealer.digest(request.SerializeToString(deterministic=True))
    key = f"{principal.user_id}:{request.idempotency_key}" if request.idempotency_key else ""
    claimed = await tx.claim_keys(KEY_SCOPE, {key: (fingerprint, complaint_id)})
    if claimed.get(key, complaint_id) != complaint_id:
        return await store.find(tx, str(claimed[key]))
    sealing = await KEYS.key_for(tx, desk.sealer, customer_id)
    if sealing.wrapped is None:
        raise Fault("customer_erased", field="customer_id")
    on_duty = desk.standards.regions[request.region].duty_owner
    complaint = await _first_version(
        tx,
        desk,
        complaint_id=complaint_id,
        customer_id=customer_id,
        channel=request.channel,
        region=request.region,
        category=request.category,
        language=request.language or language,
        owner=principal.user_id if principal.has("agent", "complaint_handler", "supervisor") else on_duty,
        proposal=desk.proposer.propose(f"{request.subject}\n{request.description}"),
        accepted_at=tx.now,
    )
    complaint.sealed_subject = seal(desk.sealer, sealing, request.subject)
    complaint.sealed_description = seal(desk.sealer, sealing, request.description)
    return await _register(tx, desk, complaint, principal.actor)


async def take_over_case(tx: UnitOfWork, desk: Desk, command: commands_pb2.RegisterComplaint) -> None:
    """Registers the complaint that intake found in a case. Asked again for the same one, it does nothing (INT-02)."""
    if await store.lock_if_known(tx, command.complaint_id) is not None:
        return
    found = [Found(each.rule, each.word) for each in command.keywords]
    complaint = await _first_version(
        tx,
        desk,
        complaint_id=UUID(command.complaint_id),
        customer_id=UUID(command.customer_id),
        channel=command.channel,
        region=command.region,
        category=command.category,
        language=command.language,
        owner=command.owner,
        proposal=desk.proposer.judge(found),
        accepted_at=min(command.accepted_at.ToDatetime(UTC), tx.now),
    )
    complaint.case_id, complaint.case_number = UUID(command.case_id), command.case_number
    complaint.case_sealing_key = command.sealing_key
    complaint.priority = min(complaint.priority, command.priority)
    await _register(tx, desk, complaint, SYSTEM)


async def _first_version(
    tx: UnitOfWork,
    desk: Desk,
    *,
    complaint_id: UUID,
    customer_id: UUID,
    channel: str,
    region: str,
    category: str,
    language: str,
    owner: str,
    proposal: Proposal,
    accepted_at: datetime,
) -> Complaint:
    (serial,) = await serials(tx, NUMBERS, 1)
    severity = desk.severity(proposal.severity, region)
    return Complaint(
        complaint_id=complaint_id,
        complaint_number=issue(NUMBER_PREFIX, tx.now.astimezone(CHINA_TIME).date(), serial),
        version=1,
        stage=Stage.REGISTERED,
        customer_id=customer_id,
        channel=channel,
        region=region,
        category=category,
        language=language,
        proposed_class=proposal.complaint_class,
        proposed_severity=proposal.severity,
        proposed_confidence=proposal.confidence,
        proposed_evidence=list(proposal.evidence),
        complaint_class=proposal.complaint_class,
        severity=proposal.severity,
        priority=desk.standards.urgencies["critical" if severity.alerts_management else "normal"].priority,
        owner=owner,
        leader=severity.leader,
        repeat_of=await _earlier(tx, desk, customer_id, proposal.complaint_class),
        accepted_at=accepted_at,
    )


async def _register(tx: UnitOfWork, desk: Desk, complaint: Complaint, actor: str) -> Complaint:
    severity = desk.severity(complaint.severity, complaint.region)
    return await store.add(tx, rules.register(complaint, severity), actor=actor)


async def _earlier(tx: UnitOfWork, desk: Desk, customer_id: UUID, complaint_class: str) -> UUID | None:
    """The customer's newest complaint of the same class within the window of the standards (CMP-07)."""
    since = tx.now - desk.standards.windows["repeated_complaint"].length
    statement = (
        select(COMPLAINTS.c.complaint_id)
        .where(
            COMPLAINTS.c.customer_id == customer_id,
            COMPLAINTS.c.complaint_class == complaint_class,
            COMPLAINTS.c.accepted_at >= since,
        )
        .order_by(COMPLAINTS.c.complaint_id.desc())
        .limit(1)
    )
    found: UUID | None = await tx.scalar(statement)
    return found


def _customer_of(request: requests_pb2.RegisterComplaintRequest, principal: Principal) -> UUID:
    """Customers complain for themselves, whatever they say; everybody else names the customer."""
    customer_id = principal.customer_id if principal.is_customer else request.customer_id
    if not customer_id:
        raise Fault("customer_unknown", field="customer_id")
    return UUID(customer_id)


def _require_known(request: requests_pb2.RegisterComplaintRequest, desk: Desk) -> None:
    for field, word, known in (
        ("channel", request.channel, desk.standards.channels),
        ("region", request.region, desk.standards.regions),
        ("category", request.category, desk.standards.categories),
    ):
        if word not in known:
            raise Fault(f"{field}_unknown", field=field, **{field: word})
