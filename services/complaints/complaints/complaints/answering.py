"""The result and what the customer says to it, down to the last stage of a dispute (CMP-05, CMP-06)."""

from dataclasses import replace

from bihuan.complaints.v1 import requests_pb2
from bihuan.complaints.v1.complaints_pb2 import RESULT_ANSWER_NONE, RESULT_ANSWER_REJECTED
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from complaints import disputes
from complaints.complainants import seal_words, told_intake
from complaints.complaints import rules, texts
from complaints.complaints.belongings import belongings_of
from complaints.complaints.changes import put_back, take_in_hand
from complaints.complaints.complaint import Complaint, Outcome, Stage
from complaints.complaints.steps import require_stage
from complaints.complaints.texts import Text
from complaints.desk import Desk


async def feed_back_result(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.ComplaintStepRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    told = await told_intake(tx, desk.sealer, complaint, complaint.result)
    step = rules.feed_back(complaint, told=told, fed_back_by=principal.user_id)
    return await put_back(tx, desk, complaint, step, principal)


async def answer_result(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.AnswerResultRequest
) -> Complaint:
    """The customer accepts the result or not; "no answer" is for staff to record.

    Raises Fault("role_forbidden") when a customer records their own silence.
    """
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    if request.answer == RESULT_ANSWER_REJECTED:
        severity = desk.severity(complaint.severity, complaint.region)
        step = rules.reopen(complaint, score=request.score, severity=severity)
    else:
        silent = request.answer == RESULT_ANSWER_NONE
        if silent and principal.is_customer:
            raise Fault("role_forbidden", role="complaint_handler")
        require_stage(complaint, "answer_result", Stage.FED_BACK)
        step = rules.settle(
            complaint,
            outcome=Outcome.UNANSWERED if silent else Outcome.ACCEPTED,
            result=complaint.result,
            told=await told_intake(tx, desk.sealer, complaint, complaint.result),
            score=0 if silent else request.score,
            happened="result_unanswered" if silent else "result_accepted",
        )
    comment = Text(texts.RESULT_COMMENT, request.comment, principal.actor, inbound=True)
    return await put_back(tx, desk, complaint, step, principal, words=comment)


async def open_dispute(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.OpenDisputeRequest
) -> Complaint:
    """The customer refuses the result: mediation begins."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    step = disputes.open_dispute(complaint, tx.now, orders=_orders(desk))
    claim = Text(texts.CLAIM, request.claim, principal.actor, inbound=True)
    return await put_back(tx, desk, complaint, step, principal, words=claim)


async def advance_dispute(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.AdvanceDisputeRequest
) -> Complaint:
    """The running stage ended without agreement. Raises Fault("dispute_stage_skipped")."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    dispute = (await belongings_of(tx, complaint)).dispute
    (outcome,) = await seal_words(tx, desk.sealer, complaint, request.outcome)
    step = disputes.advance(complaint, tx.now, dispute, to=request.stage, outcome=outcome, orders=_orders(desk))
    return await put_back(tx, desk, complaint, step, principal)


async def add_dispute_document(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.AddDisputeDocumentRequest
) -> Complaint:
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    dispute = (await belongings_of(tx, complaint)).dispute
    (title,) = await seal_words(tx, desk.sealer, complaint, request.title)
    step = disputes.add_document(
        complaint, tx.now, dispute, title=title, checksum=request.checksum, filed_by=principal.user_id
    )
    return await put_back(tx, desk, complaint, step, principal)


async def settle_dispute(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.SettleDisputeRequest
) -> Complaint:
    """Something was agreed or decided: it takes the place of the result."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    require_stage(complaint, "settle_dispute", Stage.DISPUTED)
    (settlement,) = await seal_words(tx, desk.sealer, complaint, request.settlement)
    step = rules.settle(
        complaint,
        outcome=Outcome.DISPUTE_ENDED,
        result=settlement,
        told=await told_intake(tx, desk.sealer, complaint, settlement),
        score=complaint.satisfaction,
        happened="dispute_settled",
    )
    dispute = (await belongings_of(tx, complaint)).dispute
    ended = disputes.ended(dispute, tx.now, outcome=settlement)
    return await put_back(tx, desk, complaint, replace(step, rows=(ended,)), principal)


def _orders(desk: Desk) -> dict[str, int]:
    return {name: stage.order for name, stage in desk.standards.classes.dispute_stages.items()}
