"""EngineerService (DSP-01, DSP-02)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.dispatch.v1 import engineers_pb2, engineers_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.windows import Window

from dispatch.access import require_may_read
from dispatch.engineers import commands, queries, rostering
from dispatch.rpc.messages import engineer_message, qualification_of
from dispatch.work_orders.placement import Placement

DEFAULT_PAGE = 50
LISTING = "engineers"

Context = grpc.aio.ServicerContext[Any, Any]


class EngineerServicer(engineers_pb2_grpc.EngineerServiceServicer):
    def __init__(self, database: Database, placement: Placement) -> None:
        self._database = database
        self._placement = placement

    async def RegisterEngineer(
        self, request: engineers_pb2.RegisterEngineerRequest, context: Context
    ) -> engineers_pb2.Engineer:
        principal = caller(context)
        profile = await self._database.run(
            "register_engineer",
            lambda tx: commands.register_engineer(
                tx,
                display_name=request.display_name,
                user_id=request.user_id,
                territory=request.territory,
                qualifications=[qualification_of(message) for message in request.qualifications],
                key=CreationKey.of(request),
                principal=principal,
                policy=self._placement.policy,
            ),
        )
        return engineer_message(profile)

    async def GetEngineer(self, request: engineers_pb2.GetEngineerRequest, context: Context) -> engineers_pb2.Engineer:
        principal = caller(context)
        async with self._database.transaction("get_engineer") as tx:
            profile = await queries.get_engineer(tx, UUID(request.engineer_id))
        engineer = profile.engineer
        require_may_read(principal, user_id=engineer.user_id, region=engineer.territory)
        return engineer_message(profile)

    async def ListEngineers(
        self, request: engineers_pb2.ListEngineersRequest, context: Context
    ) -> engineers_pb2.ListEngineersResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_engineers") as tx:
            found = await queries.list_engineers(
                tx,
                caller(context),
                territory=request.territory,
                skill=request.skill,
                after=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].engineer.engineer_id) if len(found) > size else ""
        return engineers_pb2.ListEngineersResponse(
            engineers=[engineer_message(profile) for profile in page], next_page_token=more
        )

    async def GrantQualification(
        self, request: engineers_pb2.GrantQualificationRequest, context: Context
    ) -> engineers_pb2.Engineer:
        if request.qualification.revoked:
            raise Fault("grant_contradictory", field="qualification.revoked")
        principal, engineer_id = caller(context), UUID(request.engineer_id)
        profile = await self._database.run(
            "grant_qualification",
            lambda tx: commands.grant_qualification(
                tx,
                engineer_id,
                qualification_of(request.qualification, engineer_id),
                principal=principal,
                placement=self._placement,
            ),
        )
        return engineer_message(profile)

    async def RevokeQualification(
        self, request: engineers_pb2.RevokeQualificationRequest, context: Context
    ) -> engineers_pb2.Engineer:
        principal = caller(context)
        profile = await self._database.run(
            "revoke_qualification",
            lambda tx: commands.revoke_qualification(
                tx,
                UUID(request.engineer_id),
                request.skill,
                reason=request.reason,
                principal=principal,
                placement=self._placement,
            ),
        )
        return engineer_message(profile)

    async def PlanShift(self, request: engineers_pb2.PlanShiftRequest, context: Context) -> engineers_pb2.Engineer:
        principal = caller(context)
        profile = await self._database.run(
            "plan_shift",
            lambda tx: rostering.plan_shift(
                tx,
                UUID(request.engineer_id),
                Window.of(request.valid_for),
                key=CreationKey.of(request),
                principal=principal,
            ),
        )
        return engineer_message(profile)

    async def CancelShift(self, request: engineers_pb2.CancelShiftRequest, context: Context) -> engineers_pb2.Engineer:
        principal = caller(context)
        profile = await self._database.run(
            "cancel_shift",
            lambda tx: rostering.cancel_shift(
                tx,
                UUID(request.engineer_id),
                UUID(request.shift_id),
                principal=principal,
                placement=self._placement,
            ),
        )
        return engineer_message(profile)

    async def SetShift(self, request: engineers_pb2.SetShiftRequest, context: Context) -> engineers_pb2.Engineer:
        principal = caller(context)
        profile = await self._database.run(
            "set_shift",
            lambda tx: commands.set_shift(
                tx,
                UUID(request.engineer_id),
                on_shift=request.on_shift,
                principal=principal,
                placement=self._placement,
            ),
        )
        return engineer_message(profile)
