"""Working on a case at the desk, and every contact on the way (INT-05, INT-07, INT-10)."""

from bihuan.intake.v1 import cases_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7

from intake.cases import care, rules, texts
from intake.cases.case import Case
from intake.cases.changes import put_back, take_in_hand
from intake.cases.texts import Text
from intake.desk import Desk
from intake.fingerprints import fingerprint_of

KEY_SCOPE = "add_interaction"


async def start_handling(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.StartHandlingRequest
) -> Case:
    """The caller takes a desk case in hand."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    step = rules.start_handling(case, tx.now, handler=principal.user_id)
    return await put_back(tx, desk, case, step, actor=principal.actor)


async def deliver_result(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.DeliverResultRequest
) -> Case:
    """The desk feeds its result back to the customer."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    result = await texts.seal_result(tx, desk, case, request.result)
    step = rules.deliver(case, tx.now, result=result, delivered_by=principal.user_id)
    return await put_back(tx, desk, case, step, actor=principal.actor)


async def pause_case(tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.PauseCaseRequest) -> Case:
    """The clocks stand still until the customer answers, or `resume_case`."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    reason = Text(role=texts.PAUSE_REASON, text=request.reason, author=principal.actor)
    return await put_back(tx, desk, case, care.pause(case), actor=principal.actor, words=reason)


async def resume_case(tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.ResumeCaseRequest) -> Case:
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    return await put_back(tx, desk, case, care.resume(case), actor=principal.actor)


async def add_interaction(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.AddInteractionRequest
) -> Case:
    """Keeps a contact with the customer, once under a key; what customers write themselves is always inbound.

    Raises Fault("channel_unknown") and Fault("idempotency_key_reused").
    """
    if request.channel not in desk.standards.channels:
        raise Fault("channel_unknown", field="channel", channel=request.channel)
    case = await take_in_hand(tx, principal, request.case)
    text_id = uuid7()
    claim = {request.idempotency_key: (desk.sealer.digest(fingerprint_of(request)), text_id)}
    if await tx.claim_keys(f"{KEY_SCOPE}:{principal.user_id}", claim) != {request.idempotency_key: text_id}:
        return case
    inbound = request.inbound or principal.is_customer
    words = Text(
        role=texts.INTERACTION,
        text=request.text,
        author=principal.actor,
        channel=request.channel,
        inbound=inbound,
        text_id=text_id,
    )
    step = care.add_interaction(case, channel=request.channel, inbound=inbound)
    return await put_back(tx, desk, case, step, actor=principal.actor, words=words)
