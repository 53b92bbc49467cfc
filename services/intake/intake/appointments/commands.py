"""What customers and the desk do with appointments: each function is one use case in one transaction (INT-09)."""

from dataclasses import dataclass
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import appointments_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.customerkeys import public_key
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7

from intake.appointments import rules, store
from intake.appointments.appointment import Appointment, State
from intake.appointments.changes import change, take_in_hand
from intake.cases import appointed, texts
from intake.cases.case import Case
from intake.cases.changes import put_back
from intake.cases.changes import take_in_hand as take_case_in_hand
from intake.cases.steps import noted
from intake.cases.texts import Text
from intake.customers.store import find_key
from intake.desk import Desk
from standards import Standards


@dataclass(frozen=True)
class _Content:
    """What the visit needs."""

    skill: str
    level: str


async def book_appointment(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: appointments_pb2.BookAppointmentRequest
) -> Appointment:
    """Asks dispatch for the held slot; its answer comes as an event.

    Raises Fault appointment_unchecked, channel_unknown, skill_unknown, appointment_exists, transition_forbidden for a
    case that needs no visit, and those of a case that the principal may not see.
    """
    _require_checked(request, desk.standards)
    appointment_id, new = await claim_id(tx, "book_appointment", CreationKey.of(request), principal)
    if not new:
        return await store.find(tx, appointment_id)
    case = await take_case_in_hand(tx, principal, request.case)
    if (live := await store.live_of_case(tx, case.case_id)) is not None:
        raise Fault("appointment_exists", appointment_id=live.appointment_id)
    appointed.require_appointable(case, "book_appointment")
    content = _content(case, request, desk.standards)
    appointment = Appointment(
        appointment_id=appointment_id,
        version=1,
        state=State.INITIALIZED,
        case_id=case.case_id,
        channel=request.channel,
        booked_by=principal.actor,
        skill=content.skill,
        level=content.level,
        work_order_id=case.work_order_id or uuid7(),
        reservation_id=UUID(request.reservation_id),
        requested_at=tx.now,
    )
    step = rules.request(appointment, booking=await _booking(tx, desk, case, appointment, request.reservation_id))
    await store.add(tx, step)
    await put_back(tx, desk, case, noted(case, step.happened, **step.details), actor=principal.actor)
    return appointment


async def prepare_appointment(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: appointments_pb2.PrepareAppointmentRequest
) -> Appointment:
    """Everything for the visit is ready."""
    case, appointment = await take_in_hand(tx, principal, UUID(request.appointment_id), request.expected_version)
    step = rules.prepare(appointment, tx.now, prepared_by=principal.actor)
    note = Text(role=texts.APPOINTMENT_PREPARATION, text=request.note, author=principal.actor)
    return await change(tx, desk, case, appointment, step, actor=principal.actor, words=note)


async def move_appointment(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: appointments_pb2.MoveAppointmentRequest
) -> Appointment:
    """Asks dispatch for another held slot in place of the present one."""
    case, appointment = await take_in_hand(tx, principal, UUID(request.appointment_id), request.expected_version)
    appointed.require_appointable(case, "move_appointment")
    replaced = str(appointment.reservation_id)
    booking = await _booking(tx, desk, case, appointment, request.reservation_id, replaces=replaced)
    step = rules.ask_to_move(appointment, booking=booking)
    reason = Text(role=texts.APPOINTMENT_MOVE_REASON, text=request.reason, author=principal.actor, inbound=True)
    return await change(tx, desk, case, appointment, step, actor=principal.actor, words=reason)


async def cancel_appointment(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: appointments_pb2.CancelAppointmentRequest
) -> Appointment:
    """The customer no longer wants it; the case stays open and is assessed again."""
    case, appointment = await take_in_hand(tx, principal, UUID(request.appointment_id), request.expected_version)
    step = rules.cancel(appointment, tx.now, unless_on_site=case.waits_for_incident)
    reason = Text(role=texts.APPOINTMENT_CANCELLATION_REASON, text=request.reason, author=principal.actor, inbound=True)
    case_step = noted(case, step.happened)
    if appointment.state == State.CONFIRMED:
        case_step = appointed.call_off(case, tx.now, work_order_id=appointment.work_order_id)
    return await change(tx, desk, case, appointment, step, case_step, actor=principal.actor, words=reason)


def _require_checked(request: appointments_pb2.BookAppointmentRequest, standards: Standards) -> None:
    for field in ("customer_checked", "content_checked"):
        if not getattr(request, field):
            raise Fault("appointment_unchecked", field=field)
    if request.channel not in standards.channels:
        raise Fault("channel_unknown", field="channel", channel=request.channel)


def _content(case: Case, request: appointments_pb2.BookAppointmentRequest, standards: Standards) -> _Content:
    usual = standards.visits[case.category]
    skill = request.skill or usual.skill
    if skill not in standards.skills:
        raise Fault("skill_unknown", field="skill", skill=skill)
    return _Content(skill, request.level or usual.level)


async def _booking(
    tx: UnitOfWork, desk: Desk, case: Case, appointment: Appointment, reservation_id: str, *, replaces: str = ""
) -> dispatch_events.BookReservation:
    return dispatch_events.BookReservation(
        reservation_id=reservation_id,
        case_id=str(case.case_id),
        appointment_id=str(appointment.appointment_id),
        work_order_id=str(appointment.work_order_id),
        case_number=case.case_number,
        region=case.region,
        skill=appointment.skill,
        level=appointment.level,
        priority=case.priority,
        replaces=replaces,
        customer_id=str(case.customer_id),
        sealing_key=public_key(desk.sealer, await find_key(tx, case.customer_id)),
    )
