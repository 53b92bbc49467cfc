"""From the classification to the handled complaint; each function is a use case in a transaction (CMP-02, CMP-04)."""

from datetime import timedelta

from bihuan.complaints.v1 import requests_pb2
from bihuan.training.v1 import commands_pb2 as training_commands
from servicekit.customerkeys import public_key
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7

from complaints import investigations, remedies
from complaints.complainants import KEYS, seal_words
from complaints.complaints import rules, steps, texts
from complaints.complaints.belongings import belongings_of
from complaints.complaints.changes import put_back, take_in_hand
from complaints.complaints.complaint import OPEN, Complaint
from complaints.complaints.steps import Step
from complaints.complaints.texts import Text
from complaints.desk import Desk
from complaints.investigations import InvestigationRow, InvestigationState
from complaints.remedies import RemedyRow


async def classify_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ClassifyComplaintRequest
) -> Complaint:
    """Confirms or overrides class and severity. Where the class calls for it, the person concerned is to learn.

    Raises Fault("complaint_class_unknown") or Fault("severity_unknown").
    """
    classes = desk.standards.classes
    if request.complaint_class not in classes.complaint_classes:
        raise Fault("complaint_class_unknown", field="complaint_class", complaint_class=request.complaint_class)
    if request.severity not in classes.complaint_severities:
        raise Fault("severity_unknown", field="severity", severity=request.severity)
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    step = rules.classify(
        complaint,
        complaint_class=request.complaint_class,
        severity=desk.severity(request.severity, complaint.region),
        before=desk.severity(complaint.severity, complaint.region),
        person_concerned=request.person_concerned,
        classified_by=principal.user_id,
    )
    _assign_training(tx, desk, step.after)
    note = Text(role=texts.CLASSIFICATION_NOTE, text=request.note, author=principal.actor)
    return await put_back(tx, desk, complaint, step, principal, words=note)


async def take_lead(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ComplaintStepRequest
) -> Complaint:
    """A leader takes responsibility for a major complaint (CMP-03)."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    severity = desk.severity(complaint.severity, complaint.region)
    return await put_back(
        tx, desk, complaint, rules.take_lead(complaint, severity, leader=principal.user_id), principal
    )


async def hand_over_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.HandOverComplaintRequest
) -> Complaint:
    """Another person answers for the complaint from now on."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    reason = Text(role=texts.HAND_OVER_REASON, text=request.reason, author=principal.actor)
    return await put_back(tx, desk, complaint, rules.hand_over(complaint, to=request.to), principal, words=reason)


async def start_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ComplaintStepRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    return await put_back(tx, desk, complaint, rules.start(complaint, handler=principal.user_id), principal)


async def record_handling(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.RecordHandlingRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    note = Text(role=texts.HANDLING_NOTE, text=request.note, author=principal.actor)
    return await put_back(tx, desk, complaint, rules.record_handling(complaint, tx.now), principal, words=note)


async def add_contact(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.AddContactRequest
) -> Complaint:
    """One entry of the communication log; what customers write themselves is inbound whatever they say (CMP-05).

    Raises Fault("channel_unknown").
    """
    if request.channel not in desk.standards.channels:
        raise Fault("channel_unknown", field="channel", channel=request.channel)
    complaint = await take_in_hand(tx, principal, request.complaint)
    steps.require_stage(complaint, "add_contact", *OPEN)
    inbound = request.inbound or principal.is_customer
    details = {"channel": request.channel, "direction": "inbound" if inbound else "outbound"}
    words = Text(texts.CONTACT, request.text, principal.actor, request.channel, inbound)
    step = Step(after=steps.changed(complaint), happened="contact_added", details=details)
    return await put_back(tx, desk, complaint, step, principal, words=words)


async def grant_remedy(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.GrantRemedyRequest
) -> Complaint:
    """Within the caller's own limit (CMP-04). Raises Fault("remedy_unknown"), and as `remedies.grant` does."""
    kind = desk.standards.classes.complaint_remedies.get(request.kind)
    if kind is None:
        raise Fault("remedy_unknown", field="kind", kind=request.kind)
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    remedy = RemedyRow(
        remedy_id=uuid7(),
        complaint_id=complaint.complaint_id,
        kind=request.kind,
        amount=request.amount,
        granted_by=principal.user_id,
        granted_at=tx.now,
    )
    earlier = (await belongings_of(tx, complaint)).remedies
    step = remedies.grant(complaint, remedy, earlier=earlier, roles=principal.roles, kind=kind)
    return await put_back(tx, desk, complaint, step, principal)


async def request_investigation(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.RequestInvestigationRequest
) -> Complaint:
    """Asks dispatch for a visit, with what the standards say for the category where the caller says nothing."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    usual = desk.standards.visits[complaint.category]
    skill = request.skill or usual.skill
    if skill not in desk.standards.skills:
        raise Fault("skill_unknown", field="skill", skill=skill)
    investigation = InvestigationRow(
        investigation_id=uuid7(),
        complaint_id=complaint.complaint_id,
        work_order_id=uuid7(),
        state=InvestigationState.ASKED,
        skill=skill,
        level=request.level or usual.level,
        asked_at=tx.now,
    )
    earlier = (await belongings_of(tx, complaint)).investigations
    key = await KEYS.key_for(tx, desk.sealer, complaint.customer_id)
    step = investigations.ask(complaint, investigation, earlier=earlier, sealing_key=public_key(desk.sealer, key))
    return await put_back(tx, desk, complaint, step, principal)


async def resolve_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ResolveComplaintRequest
) -> Complaint:
    """Handling is done. Raises Fault("investigation_open") while dispatch's outcome is awaited."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    severity = desk.severity(complaint.severity, complaint.region)
    (result,) = await seal_words(tx, desk.sealer, complaint, request.result)
    step = rules.resolve(complaint, tx.now, result=result, severity=severity)
    investigations.require_none_open((await belongings_of(tx, complaint)).investigations)
    return await put_back(tx, desk, complaint, step, principal)


def _assign_training(tx: UnitOfWork, desk: Desk, complaint: Complaint) -> None:
    topic = desk.standards.classes.complaint_classes[complaint.complaint_class].training_topic
    if topic is None or not complaint.person_concerned:
        return
    wanted = training_commands.AssignTraining(
        assignment_id=str(uuid7()),
        person=complaint.person_concerned,
        reason=f"complaint_{complaint.complaint_class}",
        source_id=str(complaint.complaint_id),
        course_topic=topic,
    )
    within: timedelta = desk.standards.windows["complaint_training"].length
    wanted.due_at.FromDatetime(tx.now + within)
    tx.command(wanted, case_id=str(complaint.case_id or complaint.complaint_id))
