"""ImprovementService (QLT-05)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc.aio
from bihuan.complaints.v1 import complaints_pb2, improvements_pb2_grpc
from bihuan.complaints.v1 import improvements_pb2 as pb
from google.protobuf.message import Message
from servicekit.database import Database, UnitOfWork
from servicekit.identity import Principal, caller
from servicekit.rpc.paging import PageToken, narrowed

from complaints.improvements import ImprovementState
from complaints.indicator_improvements import commands, queries
from complaints.indicator_improvements.queries import indicator_improvement_message
from complaints.indicator_improvements.tables import IndicatorImprovementRow
from standards import Standards

DEFAULT_PAGE = 50
LISTING = "improvements"
_PREFIX = "IMPROVEMENT_STATE_"

Context = grpc.aio.ServicerContext[Any, Any]
Request = TypeVar("Request", bound=Message)
Change = Callable[[UnitOfWork, Standards, Principal, Request], Awaitable[IndicatorImprovementRow]]


class ImprovementServicer(improvements_pb2_grpc.ImprovementServiceServicer):
    def __init__(self, database: Database, standards: Standards) -> None:
        self._database = database
        self._standards = standards

    async def GetImprovement(self, request: pb.GetImprovementRequest, context: Context) -> pb.IndicatorImprovement:
        async with self._database.transaction("get_improvement") as tx:
            found = await queries.find_improvement(tx, request.improvement, caller(context))
        return indicator_improvement_message(found)

    async def ListImprovements(
        self, request: pb.ListImprovementsRequest, context: Context
    ) -> pb.ListImprovementsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        wanted = complaints_pb2.ImprovementState.Name(request.state).removeprefix(_PREFIX).lower()
        async with self._database.transaction("list_improvements") as tx:
            found = await queries.list_improvements(
                tx,
                caller(context),
                state=ImprovementState(wanted) if request.state else None,
                region=request.region,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].improvement_id) if len(found) > size else ""
        messages = [indicator_improvement_message(each) for each in page]
        return pb.ListImprovementsResponse(improvements=messages, next_page_token=more)

    async def PlanFoundImprovement(
        self, request: pb.PlanFoundImprovementRequest, context: Context
    ) -> pb.IndicatorImprovement:
        return await self._change(commands.plan_improvement, request, context)

    async def ReportFoundImprovement(
        self, request: pb.ReportFoundImprovementRequest, context: Context
    ) -> pb.IndicatorImprovement:
        return await self._change(commands.report_improvement, request, context)

    async def VerifyFoundImprovement(
        self, request: pb.VerifyFoundImprovementRequest, context: Context
    ) -> pb.IndicatorImprovement:
        return await self._change(commands.verify_improvement, request, context)

    async def StandardiseFoundImprovement(
        self, request: pb.StandardiseFoundImprovementRequest, context: Context
    ) -> pb.IndicatorImprovement:
        return await self._change(commands.standardise_improvement, request, context)

    async def _change(self, change: Change[Request], request: Request, context: Context) -> pb.IndicatorImprovement:
        principal = caller(context)
        changed = await self._database.run(
            type(request).__name__, lambda tx: change(tx, self._standards, principal, request)
        )
        return indicator_improvement_message(changed)
