"""The use cases at the end of a complaint: closing, withdrawal, the record (CMP-01, REC-01)."""

from dataclasses import replace
from uuid import UUID

from bihuan.complaints.v1 import commands_pb2, events_pb2, requests_pb2
from servicekit.database import UnitOfWork
from servicekit.identity import Principal

from complaints import investigations
from complaints.complainants import seal_words
from complaints.complaints import ending, queries, store, texts
from complaints.complaints.belongings import belongings_of
from complaints.complaints.changes import put_back, take_in_hand
from complaints.complaints.complaint import UNSETTLED, Complaint
from complaints.complaints.messages import complaint_message
from complaints.complaints.texts import Text
from complaints.desk import Desk
from servicekit import deadlines

SYSTEM = "system"


async def close_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.CloseComplaintRequest
) -> Complaint:
    """Closes the loop. Raises Fault("cause_missing") or Fault("improvement_unfinished")."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    belongings = await belongings_of(tx, complaint)
    (summary,) = await seal_words(tx, desk.sealer, complaint, request.summary)
    step = ending.close(
        complaint,
        tx.now,
        summary=summary,
        cause=belongings.cause,
        improvements=belongings.improvements,
        severity=desk.severity(complaint.severity, complaint.region),
    )
    return await _announce(tx, await put_back(tx, desk, complaint, step, principal))


async def withdraw_complaint(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: requests_pb2.WithdrawComplaintRequest
) -> Complaint:
    """The customer no longer wants it; a visit under way is called off."""
    complaint = await take_in_hand(tx, principal, request.complaint, request.expected_version)
    step = ending.withdraw(complaint, tx.now)
    open_visits = investigations.call_off(complaint, (await belongings_of(tx, complaint)).investigations)
    reason = Text(texts.WITHDRAWAL_REASON, request.reason, principal.actor, inbound=True)
    withdrawn = await put_back(tx, desk, complaint, replace(step, commands=open_visits), principal, words=reason)
    return await _announce(tx, withdrawn)


async def withdraw_with_case(tx: UnitOfWork, command: commands_pb2.WithdrawComplaint) -> bool:
    """The customer has withdrawn the case that it came from. False: the complaint is not registered yet."""
    complaint = await store.lock_if_known(tx, command.complaint_id)
    if complaint is None:
        return False
    if complaint.stage in UNSETTLED:
        step = ending.withdraw(complaint, tx.now)
        open_visits = investigations.call_off(complaint, (await belongings_of(tx, complaint)).investigations)
        await _announce(tx, await store.save(tx, complaint, replace(step, commands=open_visits), actor=SYSTEM))
    return True


async def archive_complaint(tx: UnitOfWork, complaint: Complaint, *, record_id: UUID) -> None:
    """The record exists: the end of the loop. `complaint` is locked."""
    await store.save(tx, complaint, ending.archive(complaint, record_id=record_id), actor=SYSTEM)


async def _announce(tx: UnitOfWork, complaint: Complaint) -> Complaint:
    """Tells that it is closed, with everything that its record needs and nothing personal in clear."""
    subject = str(complaint.complaint_id)
    clocks = await deadlines.of(tx, [subject])
    snapshot = complaint_message(complaint, clocks[subject])
    (await belongings_of(tx, complaint)).add_to(snapshot)
    sealed = [
        events_pb2.SealedText(role=role, at=complaint.accepted_at, sealed=text)
        for role, text in (
            (texts.SUBJECT, complaint.sealed_subject),
            (texts.DESCRIPTION, complaint.sealed_description),
        )
    ]
    sealed += [
        events_pb2.SealedText(role=row.role, at=row.at, sealed=row.sealed) for row in await texts.of(tx, complaint)
    ]
    event = events_pb2.ComplaintClosed(
        complaint_id=subject,
        case_id=str(complaint.case_id or ""),
        snapshot=snapshot,
        history=await queries.history_of(tx, complaint),
        sealed=[text for text in sealed if text.sealed],
    )
    tx.emit(event, version=complaint.version, case_id=str(complaint.case_id or complaint.complaint_id))
    return complaint
