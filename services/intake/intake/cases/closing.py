"""How a case ends: the customer's word, the follow-up, withdrawal, and the record (INT-05, INT-11, INT-12, REC-01)."""

from uuid import UUID

from bihuan.intake.v1 import cases_pb2, events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from intake.cases import queries, rules, store, texts
from intake.cases.case import Case, Confirmation
from intake.cases.changes import put_back, take_in_hand
from intake.cases.messages import case_message
from intake.cases.texts import Text
from intake.desk import Desk
from servicekit import deadlines


async def confirm_result(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.ConfirmResultRequest
) -> Case:
    """The customer confirms the result, or says "not solved" and the case goes round again."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    if request.solved:
        step = rules.confirm(case, tx.now, confirmation=Confirmation.BY_CUSTOMER)
    else:
        step = rules.reopen_unsolved(case, tx.now)
    comment = Text(role=texts.CONFIRMATION_COMMENT, text=request.comment, author=principal.actor, inbound=True)
    return await put_back(tx, desk, case, step, actor=principal.actor, words=comment)


async def record_follow_up(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.RecordFollowUpRequest
) -> Case:
    """回访 is done; the case is closed and everything about it goes to records.

    Raises Fault("role_forbidden") when somebody else than a supervisor follows up a low score (INT-12).
    """
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    if 0 < case.satisfaction <= desk.standards.thresholds["low_score"].value and not principal.has("supervisor"):
        raise Fault("role_forbidden", role="supervisor")
    note = Text(role=texts.FOLLOW_UP_NOTE, text=request.note, author=principal.actor)
    step = rules.close(case, tx.now, reached=request.reached)
    closed = await put_back(tx, desk, case, step, actor=principal.actor, words=note)
    return await _announce(tx, closed)


async def withdraw_case(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.WithdrawCaseRequest
) -> Case:
    """The customer no longer wants it; what was done so far still goes to records."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    reason = Text(role=texts.WITHDRAWAL_REASON, text=request.reason, author=principal.actor, inbound=True)
    step = rules.withdraw(case, tx.now)
    closed = await put_back(tx, desk, case, step, actor=principal.actor, words=reason)
    return await _announce(tx, closed)


async def withdraw_with_complaint(tx: UnitOfWork, case: Case, *, actor: str) -> None:
    """The customer has withdrawn the complaint that the case became. `case` is locked."""
    await _announce(tx, await store.save(tx, case, rules.withdraw(case, tx.now), actor=actor))


async def archive_case(tx: UnitOfWork, desk: Desk, case: Case, *, record_id: UUID, actor: str) -> Case:
    """The record exists: the end of the loop. `case` is locked."""
    return await put_back(tx, desk, case, rules.archive(case, tx.now, record_id=record_id), actor=actor)


async def _announce(tx: UnitOfWork, case: Case) -> Case:
    """Tells that the case is closed, with everything that its record needs and nothing personal in clear."""
    case_id = str(case.case_id)
    clocks = await deadlines.of(tx, [case_id])
    sealed = [
        events_pb2.SealedText(role=role, at=case.accepted_at, sealed=text)
        for role, text in ((texts.SUBJECT, case.sealed_subject), (texts.DESCRIPTION, case.sealed_description))
    ]
    sealed += [events_pb2.SealedText(role=row.role, at=row.at, sealed=row.sealed) for row in await texts.of(tx, case)]
    event = events_pb2.CaseClosed(
        case_id=case_id,
        snapshot=case_message(case, clocks[case_id]),
        history=await queries.history_of(tx, case),
        sealed=[text for text in sealed if text.sealed],
        outcome=f"CASE_OUTCOME_{case.outcome.upper()}",
    )
    tx.emit(event, version=case.version)
    return case
