"""What intake does when dispatch tells what became of a slot that it was asked for (INT-09).

Every event names the appointment; holds that nobody has booked yet concern nobody here. News of a slot that an
appointment no longer rests on change nothing.
"""

from collections.abc import Sequence
from uuid import UUID

from bihuan.common.v1.common_pb2 import TimePeriod
from bihuan.dispatch.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.messaging import Reactions, Received
from servicekit.windows import Window
from sqlalchemy import select

from intake.appointments import rules, store
from intake.appointments.appointment import LIVE, Appointment, State
from intake.appointments.changes import change, lock
from intake.appointments.tables import APPOINTMENTS
from intake.cases import appointed, notices
from intake.cases.case import Case
from intake.cases.changes import put_back
from intake.cases.rules import Visit
from intake.cases.slot import shown
from intake.cases.steps import noted
from intake.desk import Desk

DISPATCH = "system"
# How dispatch says that another slot took the place of a released one: ReservationBooked tells of that.
MOVED = "moved"
# How dispatch says that somebody was there at the time, and it came to nothing all the same.
VISIT_FAILED = "visit_failed"


def react_on_reservations(reactions: Reactions, desk: Desk) -> None:
    limits = rules.Limits(
        preparation=desk.standards.clock(rules.PREPARATION).limit, lead=desk.standards.clock(rules.REMINDER).limit
    )

    @reactions.on(events_pb2.ReservationBooked)
    async def booked(tx: UnitOfWork, event: events_pb2.ReservationBooked, _received: Received) -> None:
        case, appointment = await lock(tx, UUID(event.appointment_id))
        if appointment.state not in LIVE or not appointed.is_appointable(case, appointment.work_order_id):
            await _call_off(tx, desk, case, appointment)
            return
        slot, reservation_id = Window.of(event.valid_for), UUID(event.reservation_id)
        rule = rules.confirm if appointment.state == State.INITIALIZED else rules.move
        step = rule(appointment, tx.now, reservation_id=reservation_id, slot=slot, limits=limits)
        case_step = appointed.appoint(
            case,
            tx.now,
            visit=Visit(appointment.work_order_id, appointment.skill, appointment.level),
            version=event.work_order_version,
            slot=slot,
            booked_by=appointment.booked_by,
            urgency_priorities={name: word.priority for name, word in desk.standards.urgencies.items()},
        )
        told = noted(case_step.after, step.happened, **step.details)
        await change(tx, desk, case, appointment, step, case_step, told, actor=DISPATCH)
        confirmed = appointment.state == State.INITIALIZED
        notice = notices.APPOINTMENT_CONFIRMED if confirmed else notices.APPOINTMENT_MOVED
        await notices.tell(tx, desk, case_step.after, notice, appointment=str(slot))

    @reactions.on(events_pb2.ReservationRefused)
    async def refused(tx: UnitOfWork, event: events_pb2.ReservationRefused, _received: Received) -> None:
        case, appointment = await lock(tx, UUID(event.appointment_id))
        if appointment.state not in LIVE:
            return
        alternatives = list(event.alternatives)
        step = rules.refuse(appointment, tx.now, reason=event.reason, alternatives=alternatives)
        told = noted(case, step.happened, **step.details)
        if appointment.state == State.INITIALIZED:
            told = appointed.lose_time(case, step.happened, reason=event.reason, alternatives=alternatives)
        await change(tx, desk, case, appointment, step, told, actor=DISPATCH)
        if appointment.state == State.INITIALIZED:
            await _tell(tx, desk, told.after, _notice_of_loss(alternatives), shown(alternatives))
        else:
            await _tell(tx, desk, told.after, notices.APPOINTMENT_NOT_MOVED, str(Window.of(appointment.period)))

    @reactions.on(events_pb2.ReservationFailed)
    async def failed(tx: UnitOfWork, event: events_pb2.ReservationFailed, _received: Received) -> None:
        if (found := await _resting_on(tx, event.appointment_id, event.reservation_id)) is None:
            return
        case, appointment = found
        alternatives = list(event.alternatives)
        step = rules.fail(appointment, tx.now, reason=event.because, alternatives=alternatives)
        told = appointed.lose_time(case, step.happened, reason=event.because, alternatives=alternatives)
        await change(tx, desk, case, appointment, step, told, actor=DISPATCH)
        notice = notices.APPOINTMENT_IN_VAIN if event.because == VISIT_FAILED else _notice_of_loss(alternatives)
        await _tell(tx, desk, told.after, notice, shown(alternatives))

    @reactions.on(events_pb2.ReservationReleased)
    async def released(tx: UnitOfWork, event: events_pb2.ReservationReleased, _received: Received) -> None:
        found = await _resting_on(tx, event.appointment_id, event.reservation_id)
        if found is None or event.reason == MOVED:
            return
        case, appointment = found
        step = rules.released(appointment, tx.now)
        told = appointed.drop_time(case, step.happened)
        await change(tx, desk, case, appointment, step, told, actor=DISPATCH)

    @reactions.on(events_pb2.ReservationFulfilled)
    async def fulfilled(tx: UnitOfWork, event: events_pb2.ReservationFulfilled, _received: Received) -> None:
        if (found := await _resting_on(tx, event.appointment_id, event.reservation_id)) is None:
            return
        case, appointment = found
        await change(tx, desk, case, appointment, rules.complete(appointment, tx.now), actor=DISPATCH)


async def note_arrival(tx: UnitOfWork, desk: Desk, work_order_id: UUID) -> None:
    """The engineer is on site: an appointment for that visit is kept."""
    columns = APPOINTMENTS.c
    kept = select(columns.appointment_id).where(
        columns.work_order_id == work_order_id, columns.state == State.CONFIRMED
    )
    appointment_id = await tx.scalar(kept)
    if appointment_id is not None:
        case, appointment = await lock(tx, appointment_id)
        await change(tx, desk, case, appointment, rules.arrive(appointment), actor=DISPATCH)


async def _resting_on(tx: UnitOfWork, appointment_id: str, reservation_id: str) -> tuple[Case, Appointment] | None:
    """The confirmed appointment that rests on this slot; None when there is none (any more)."""
    if not appointment_id:
        return None
    case, appointment = await lock(tx, UUID(appointment_id))
    rests = appointment.state == State.CONFIRMED and str(appointment.reservation_id) == reservation_id
    return (case, appointment) if rests else None


async def _tell(tx: UnitOfWork, desk: Desk, case: Case, notice: str, times: str) -> None:
    """Tells the customer, unless the case has gone a way meanwhile on which nobody arranges a time with them."""
    if appointed.may_be_arranged(case):
        await notices.tell(tx, desk, case, notice, appointment=times)


def _notice_of_loss(alternatives: Sequence[TimePeriod]) -> str:
    """The time cannot be had or kept: the customer hears of others, or that we look for one."""
    return notices.APPOINTMENT_FAILED if alternatives else notices.APPOINTMENT_LOST


async def _call_off(tx: UnitOfWork, desk: Desk, case: Case, appointment: Appointment) -> None:
    """The slot was booked, but meanwhile nobody wants it any more, or the case went another way.

    Where another appointment is under way for the same visit, dispatch moves the visit to its slot by itself.
    """
    live = await store.live_of_case(tx, case.case_id)
    if live is not None and live != appointment and live.work_order_id == appointment.work_order_id:
        return
    case_step = appointed.call_off(case, tx.now, work_order_id=appointment.work_order_id)
    if appointment.state in LIVE:
        await change(tx, desk, case, appointment, rules.released(appointment, tx.now), case_step, actor=DISPATCH)
    elif case_step.after.version != case.version:
        await put_back(tx, desk, case, case_step, actor=DISPATCH)
    tx.command(rules.call_off(appointment, unless_on_site=case.waits_for_incident), case_id=str(case.case_id))
