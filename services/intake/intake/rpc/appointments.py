"""AppointmentService (INT-09)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio
from bihuan.intake.v1 import appointments_pb2, appointments_pb2_grpc
from google.protobuf.message import Message
from servicekit.database import Database, UnitOfWork
from servicekit.identity import Principal, caller
from servicekit.telemetry.lifecycle import concerns_case

from intake.appointments import commands, queries
from intake.appointments.appointment import Appointment
from intake.cases import store as cases
from intake.desk import Desk

Context = grpc.aio.ServicerContext[Any, Any]
Request = TypeVar("Request", bound=Message)
Change = Callable[[UnitOfWork, Desk, Principal, Request], Awaitable[Appointment]]


class AppointmentServicer(appointments_pb2_grpc.AppointmentServiceServicer):
    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def BookAppointment(
        self, request: appointments_pb2.BookAppointmentRequest, context: Context
    ) -> appointments_pb2.Appointment:
        return await self._change("book_appointment", commands.book_appointment, request, context)

    async def GetAppointment(
        self, request: appointments_pb2.GetAppointmentRequest, context: Context
    ) -> appointments_pb2.Appointment:
        async with self._database.transaction("get_appointment") as tx:
            return await queries.get_appointment(tx, caller(context), UUID(request.appointment_id))

    async def ListAppointments(
        self, request: appointments_pb2.ListAppointmentsRequest, context: Context
    ) -> appointments_pb2.ListAppointmentsResponse:
        async with self._database.transaction("list_appointments") as tx:
            found = await queries.list_appointments(tx, caller(context), request.case)
        return appointments_pb2.ListAppointmentsResponse(appointments=found)

    async def PrepareAppointment(
        self, request: appointments_pb2.PrepareAppointmentRequest, context: Context
    ) -> appointments_pb2.Appointment:
        return await self._change("prepare_appointment", commands.prepare_appointment, request, context)

    async def MoveAppointment(
        self, request: appointments_pb2.MoveAppointmentRequest, context: Context
    ) -> appointments_pb2.Appointment:
        return await self._change("move_appointment", commands.move_appointment, request, context)

    async def CancelAppointment(
        self, request: appointments_pb2.CancelAppointmentRequest, context: Context
    ) -> appointments_pb2.Appointment:
        return await self._change("cancel_appointment", commands.cancel_appointment, request, context)

    async def _change(
        self, name: str, change: Change[Request], request: Request, context: Context
    ) -> appointments_pb2.Appointment:
        """Runs one change in a transaction of its own and shows the appointment as it is then."""
        principal = caller(context)

        async def work(tx: UnitOfWork) -> appointments_pb2.Appointment:
            appointment = await change(tx, self._desk, principal, request)
            case = await cases.find(tx, str(appointment.case_id))
            return (await queries.show(tx, case, [appointment]))[0]

        message = await self._database.run(name, work)
        concerns_case(message.case_id)
        return message
