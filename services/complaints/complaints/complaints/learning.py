"""What is learned from a complaint: its root cause, and improvements that prove themselves (CMP-07, CMP-08)."""

from datetime import UTC
from uuid import UUID

from bihuan.complaints.v1 import requests_pb2
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.regions import lies_in
from sqlalchemy import func, select

from complaints import causes, improvements
from complaints.causes import CAUSES, CauseRow
from complaints.complainants import seal_words
from complaints.complaints.belongings import belongings_of
from complaints.complaints.changes import put_back, take_in_hand
from complaints.complaints.complaint import Complaint
from complaints.desk import Desk
from complaints.improvements import ImprovementRow, ImprovementState


async def analyse_cause(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.AnalyseCauseRequest
) -> Complaint:
    """Root cause analysis; a cause that was found often in the region is announced (CMP-07)."""
    path = causes.path_to(request.cause, desk.standards.classes.complaint_causes)
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    cause = CauseRow(
        complaint_id=complaint.complaint_id,
        cause=request.cause,
        path=path,
        whys=await seal_words(tx, desk.sealer, complaint, *request.whys),
        clause=request.clause,
        case_ids=[UUID(each) for each in request.case_ids],
        work_order_ids=[UUID(each) for each in request.work_order_ids],
        people=list(request.people),
        region=complaint.region,
        analysed_by=principal.user_id,
        analysed_at=tx.now,
    )
    same = select(func.count()).where(
        CAUSES.c.cause == cause.cause,
        CAUSES.c.analysed_at >= tx.now - desk.standards.windows["repeated_cause"].length,
        CAUSES.c.complaint_id != complaint.complaint_id,
        lies_in(CAUSES.c.region, complaint.region),
    )
    step = causes.analyse(
        complaint,
        cause,
        found_before=int(await tx.scalar(same)),
        hot_from=int(desk.standards.thresholds["repeated_cause_count"].value),
    )
    return await put_back(tx, desk, complaint, step, principal)


async def plan_improvement(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.PlanImprovementRequest
) -> Complaint:
    """Plan, with owner, date and the indicator that should move. Raises Fault("indicator_unknown")."""
    direction = improvements.direction_of(desk.standards, request.indicator)
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    (action,) = await seal_words(tx, desk.sealer, complaint, request.action)
    improvement = ImprovementRow(
        improvement_id=uuid7(),
        complaint_id=complaint.complaint_id,
        action=action,
        owner=request.owner,
        planned_at=tx.now,
        due_at=request.due_at.ToDatetime(UTC),
        indicator=request.indicator,
        baseline=request.baseline,
        goal=request.goal,
    )
    improvements.require_plan(improvement, tx.now, direction)
    step = improvements.step_of(complaint, improvement, "improvement_planned")
    return await put_back(tx, desk, complaint, step, principal)


async def report_improvement(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ReportImprovementRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    (done,) = await seal_words(tx, desk.sealer, complaint, request.done)
    improvement = improvements.reported(await _find(tx, complaint, request.improvement_id), done=done)
    step = improvements.step_of(complaint, improvement, "improvement_done")
    return await put_back(tx, desk, complaint, step, principal)


async def verify_improvement(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.VerifyImprovementRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    known = await _find(tx, complaint, request.improvement_id)
    direction = improvements.direction_of(desk.standards, known.indicator)
    improvement = improvements.verified(known, measured=request.measured, direction=direction)
    proven = improvement.state == ImprovementState.VERIFIED
    happened = "improvement_verified" if proven else "improvement_without_effect"
    step = improvements.step_of(complaint, improvement, happened)
    return await put_back(tx, desk, complaint, step, principal)


async def standardise_improvement(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.StandardiseImprovementRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    known = await _find(tx, complaint, request.improvement_id)
    (note,) = await seal_words(tx, desk.sealer, complaint, request.note)
    improvement = improvements.standardised(known, standardised_as=request.standardised_as, note=note)
    step = improvements.step_of(complaint, improvement, "improvement_standardised")
    return await put_back(tx, desk, complaint, step, principal)


async def _find(tx: UnitOfWork, complaint: Complaint, improvement_id: str) -> ImprovementRow:
    return (await belongings_of(tx, complaint)).improvement(UUID(improvement_id))
