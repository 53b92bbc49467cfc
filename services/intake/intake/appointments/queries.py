"""Reading appointments (INT-09)."""

from collections.abc import Sequence
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock, TimePeriod
from bihuan.intake.v1 import appointments_pb2
from google.protobuf.json_format import ParseDict
from servicekit.database import UnitOfWork
from servicekit.identity import Principal

from intake.appointments import store
from intake.appointments.appointment import Appointment
from intake.appointments.changes import require_may_see
from intake.cases import store as cases
from intake.cases.case import Case
from intake.cases.queries import find_visible
from servicekit import deadlines


async def get_appointment(tx: UnitOfWork, principal: Principal, appointment_id: UUID) -> appointments_pb2.Appointment:
    """Raises Fault appointment_unknown or domain_forbidden."""
    appointment = await store.find(tx, appointment_id)
    case = await cases.find(tx, str(appointment.case_id))
    require_may_see(principal, case)
    return (await show(tx, case, [appointment]))[0]


async def list_appointments(tx: UnitOfWork, principal: Principal, reference: str) -> list[appointments_pb2.Appointment]:
    """Every appointment of a case, newest first. Raises Fault case_unknown or domain_forbidden."""
    case = await find_visible(tx, principal, reference)
    return await show(tx, case, await store.of_case(tx, case.case_id))


async def show(tx: UnitOfWork, case: Case, appointments: Sequence[Appointment]) -> list[appointments_pb2.Appointment]:
    """Appointments of one case as the contract writes them, with their clocks."""
    clocks = await deadlines.of(tx, [str(appointment.appointment_id) for appointment in appointments])
    return [_message(case, appointment, clocks[str(appointment.appointment_id)]) for appointment in appointments]


def _message(case: Case, appointment: Appointment, clocks: Sequence[Clock]) -> appointments_pb2.Appointment:
    return appointments_pb2.Appointment(
        appointment_id=str(appointment.appointment_id),
        version=appointment.version,
        status=f"APPOINTMENT_STATE_{appointment.state.upper()}",
        case_id=str(appointment.case_id),
        case_number=case.case_number,
        channel=appointment.channel,
        valid_for=None if appointment.starts_at is None else appointment.period,
        skill=appointment.skill,
        level=appointment.level,
        reservation_id=str(appointment.reservation_id),
        moving_to=str(appointment.moving_to or ""),
        work_order_id=str(appointment.work_order_id),
        moved_times=appointment.moved_times,
        reason=appointment.reason,
        alternatives=[ParseDict(period, TimePeriod()) for period in appointment.alternatives],
        prepared_by=appointment.prepared_by,
        clocks=clocks,
        creation_date=appointment.requested_at,
        confirmed_at=appointment.confirmed_at,
        prepared_at=appointment.prepared_at,
        reminded_at=appointment.reminded_at,
        ended_at=appointment.ended_at,
    )
