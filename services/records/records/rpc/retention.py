"""RetentionService (REC-06)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.records.v1 import log_pb2, retention_pb2_grpc
from bihuan.records.v1 import retention_pb2 as pb
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from records.policy import Policy
from records.retention import commands, holds, queries
from records.retention.destruction import State
from records.rpc.messages import DEFAULT_PAGE, destruction_message, hold_message, inclusion_message

HOLDS = "record_holds"
LISTING = "record_destructions"
STATE = "DESTRUCTION_STATE_"

Context = grpc.aio.ServicerContext[Any, Any]


class RetentionServicer(retention_pb2_grpc.RetentionServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def PlaceHold(self, request: pb.PlaceHoldRequest, context: Context) -> pb.Hold:
        principal = caller(context)
        placed = await self._database.run(
            "place_hold",
            lambda tx: holds.place_hold(
                tx, request.record, reason=request.reason, key=CreationKey.of(request), principal=principal
            ),
        )
        return hold_message(placed)

    async def ReleaseHold(self, request: pb.ReleaseHoldRequest, context: Context) -> pb.Hold:
        principal = caller(context)
        released = await self._database.run(
            "release_hold", lambda tx: holds.release_hold(tx, UUID(request.hold_id), principal)
        )
        return hold_message(released)

    async def ListHolds(self, request: pb.ListHoldsRequest, context: Context) -> pb.ListHoldsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(HOLDS, request), request.page_token)
        async with self._database.transaction("list_holds") as tx:
            found = await holds.list_holds(
                tx, request.record, caller(context), after=key[0] if key else None, limit=size + 1
            )
        more = PageToken.encode(narrowed(HOLDS, request), found[size - 1].hold_id) if len(found) > size else ""
        return pb.ListHoldsResponse(holds=[hold_message(hold) for hold in found[:size]], next_page_token=more)

    async def ProposeDestruction(self, request: pb.ProposeDestructionRequest, context: Context) -> pb.Destruction:
        principal = caller(context)
        proposed = await self._database.run(
            "propose_destruction",
            lambda tx: commands.propose_destruction(
                tx,
                request.record,
                reason=request.reason,
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            ),
        )
        return destruction_message(proposed)

    async def ApproveDestruction(self, request: pb.ApproveDestructionRequest, context: Context) -> pb.Destruction:
        principal = caller(context)
        approved = await self._database.run(
            "approve_destruction",
            lambda tx: commands.approve_destruction(
                tx,
                UUID(request.destruction_id),
                expected_version=request.expected_version,
                principal=principal,
                policy=self._policy,
            ),
        )
        return destruction_message(approved)

    async def RejectDestruction(self, request: pb.RejectDestructionRequest, context: Context) -> pb.Destruction:
        principal = caller(context)
        rejected = await self._database.run(
            "reject_destruction",
            lambda tx: commands.reject_destruction(
                tx, UUID(request.destruction_id), expected_version=request.expected_version, principal=principal
            ),
        )
        return destruction_message(rejected)

    async def GetDestruction(self, request: pb.GetDestructionRequest, context: Context) -> pb.Destruction:
        async with self._database.transaction("get_destruction") as tx:
            found = await queries.get_destruction(tx, UUID(request.destruction_id), caller(context))
        return destruction_message(found)

    async def ListDestructions(
        self, request: pb.ListDestructionsRequest, context: Context
    ) -> pb.ListDestructionsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        state = pb.DestructionState.Name(request.state).removeprefix(STATE).lower()
        async with self._database.transaction("list_destructions") as tx:
            found = await queries.list_destructions(
                tx,
                caller(context),
                state=State(state) if request.state else None,
                record=request.record,
                before=key[0] if key else None,
                limit=size + 1,
            )
        more = PageToken.encode(narrowed(LISTING, request), found[size - 1].destruction_id) if len(found) > size else ""
        return pb.ListDestructionsResponse(
            destructions=[destruction_message(each) for each in found[:size]], next_page_token=more
        )

    async def GetDestructionCertificate(
        self, request: pb.GetDestructionRequest, context: Context
    ) -> log_pb2.InclusionProof:
        async with self._database.transaction("prove_destruction") as tx:
            proof = await queries.prove_destruction(tx, UUID(request.destruction_id), caller(context))
        return inclusion_message(proof)
