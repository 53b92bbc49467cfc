"""Assessing a case and answering for it (INT-04, INT-05, INT-08)."""

from dataclasses import replace

from bihuan.intake.v1 import cases_pb2
from servicekit.customerkeys import public_key, unseal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7

from intake.cases import care, complaints, rules, texts
from intake.cases.case import Case
from intake.cases.changes import put_back, take_in_hand
from intake.cases.rules import Classification, Visit
from intake.cases.steps import Step
from intake.cases.texts import Text
from intake.customers.store import find_key
from intake.desk import Desk
from standards import Standards


async def assess_case(tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.AssessCaseRequest) -> Case:
    """Confirms or overrides the proposal; asks dispatch for a work order, gives the case to its owner's desk, or hands
    it to complaints.

    Raises Fault for a word that the standards don't know, and for a complaint that is also to be visited.
    """
    verdict = _verdict(request.classification, desk.standards)
    if request.hand_to_complaints and request.needs_visit:
        raise Fault("assessment_contradictory", field="needs_visit")
    visit = _visit(request, verdict, desk.standards) if request.needs_visit else None
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    if visit is not None:
        visit = replace(visit, sealing_key=public_key(desk.sealer, await find_key(tx, case.customer_id)))
    step = rules.assess(
        case,
        tx.now,
        assessor=principal.user_id,
        verdict=verdict,
        visit=visit,
        urgency_priorities={name: urgency.priority for name, urgency in desk.standards.urgencies.items()},
    )
    if request.hand_to_complaints:
        step = await _hand_to_complaints(tx, desk, case, step)
    note = Text(role=texts.ASSESSMENT_NOTE, text=request.note, author=principal.actor)
    return await put_back(tx, desk, case, step, actor=principal.actor, words=note)


async def hand_over_case(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.HandOverCaseRequest
) -> Case:
    """Another person answers for the case from now on."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    reason = Text(role=texts.HAND_OVER_REASON, text=request.reason, author=principal.actor)
    return await put_back(tx, desk, case, care.hand_over(case, to=request.to), actor=principal.actor, words=reason)


async def _hand_to_complaints(tx: UnitOfWork, desk: Desk, case: Case, assessed: Step) -> Step:
    key = await find_key(tx, case.customer_id)
    words = (unseal(desk.sealer, key, sealed) for sealed in (case.sealed_subject, case.sealed_description))
    keywords = desk.proposer.complaint_keywords("\n".join(words))
    return complaints.hand_over(
        assessed, complaint_id=uuid7(), keywords=keywords, sealing_key=public_key(desk.sealer, key)
    )


def _verdict(classification: cases_pb2.Classification, standards: Standards) -> Classification:
    for field, word, known in (
        ("kind", classification.kind, standards.kinds),
        ("category", classification.category, standards.categories),
        ("urgency", classification.urgency, standards.urgencies),
    ):
        if word not in known:
            raise Fault(f"{field}_unknown", field=f"classification.{field}", **{field: word})
    return Classification(classification.kind, classification.category, classification.urgency)


def _visit(request: cases_pb2.AssessCaseRequest, verdict: Classification, standards: Standards) -> Visit:
    """What the assessor says a visit needs; where they say nothing, what the standards say for the category."""
    usual = standards.visits[verdict.category]
    skill, level = request.skill or usual.skill, request.level or usual.level
    if skill not in standards.skills:
        raise Fault("skill_unknown", field="skill", skill=skill)
    return Visit(work_order_id=uuid7(), skill=skill, level=level)
