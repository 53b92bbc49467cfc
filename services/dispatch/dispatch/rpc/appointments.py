"""AppointmentSlotService (DSP-05)."""

from datetime import UTC
from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.dispatch.v1 import appointments_pb2, appointments_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.identity import Principal, caller

from dispatch.policy import Policy
from dispatch.rpc.messages import reservation_message
from dispatch.slots import holding
from dispatch.slots.holding import Wish, read_need
from dispatch.slots.reservation import Reservation

DEFAULT_PAGE = 20

Context = grpc.aio.ServicerContext[Any, Any]


class AppointmentSlotServicer(appointments_pb2_grpc.AppointmentSlotServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def FindTimeSlots(
        self, request: appointments_pb2.FindTimeSlotsRequest, context: Context
    ) -> appointments_pb2.FindTimeSlotsResponse:
        need = read_need(
            self._policy, region=request.region, category=request.category, skill=request.skill, level=request.level
        )
        async with self._database.transaction("find_time_slots") as tx:
            found = await holding.find_slots(
                tx,
                need,
                caller(context),
                self._policy,
                not_before=request.not_before.ToDatetime(UTC) if request.HasField("not_before") else None,
                limit=request.page_size or DEFAULT_PAGE,
            )
        slots = [
            appointments_pb2.TimeSlot(valid_for=window.message(), remaining=remaining) for window, remaining in found
        ]
        return appointments_pb2.FindTimeSlotsResponse(available_time_slots=slots)

    async def HoldTimeSlot(
        self, request: appointments_pb2.HoldTimeSlotRequest, context: Context
    ) -> appointments_pb2.Reservation:
        principal = caller(context)
        wish = Wish(
            case_id=UUID(request.case_id),
            need=read_need(
                self._policy,
                region=request.region,
                category=request.category,
                skill=request.skill,
                level=request.level,
            ),
            start=request.start_date_time.ToDatetime(UTC),
            key=CreationKey.of(request),
        )
        held = await self._database.run(
            "hold_time_slot", lambda tx: holding.hold_slot(tx, wish, principal, self._policy)
        )
        return _shown(held, principal)

    async def GetReservation(
        self, request: appointments_pb2.GetReservationRequest, context: Context
    ) -> appointments_pb2.Reservation:
        principal = caller(context)
        async with self._database.transaction("get_reservation") as tx:
            found = await holding.get_reservation(tx, UUID(request.reservation_id), principal)
        return _shown(found, principal)

    async def ReleaseHold(
        self, request: appointments_pb2.ReleaseHoldRequest, context: Context
    ) -> appointments_pb2.Reservation:
        principal = caller(context)
        released = await self._database.run(
            "release_hold", lambda tx: holding.release_hold(tx, UUID(request.reservation_id), principal)
        )
        return _shown(released, principal)


def _shown(reservation: Reservation, principal: Principal) -> appointments_pb2.Reservation:
    return reservation_message(reservation, for_desk=not principal.has("customer", "channel"))
