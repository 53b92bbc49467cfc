"""WorkOrderService (DSP-03, DSP-04)."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

import grpc.aio
from bihuan.dispatch.v1 import work_orders_pb2, work_orders_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.sealing import Sealer

from dispatch.rpc.messages import history_message, state_of, work_order_message
from dispatch.work_orders import commands, queries
from dispatch.work_orders.commands import Attempt
from dispatch.work_orders.placement import Placement
from dispatch.work_orders.work_order import WorkOrder

DEFAULT_PAGE = 50
LISTING = "work_orders"

Context = grpc.aio.ServicerContext[Any, Any]


class Change(Protocol):
    """What every request for a change has."""

    work_order: str
    expected_version: int


UseCase = Callable[..., Awaitable[WorkOrder | Fault]]


class WorkOrderServicer(work_orders_pb2_grpc.WorkOrderServiceServicer):
    def __init__(self, database: Database, placement: Placement, sealer: Sealer) -> None:
        self._database = database
        self._placement = placement
        self._sealer = sealer

    async def GetWorkOrder(
        self, request: work_orders_pb2.GetWorkOrderRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        async with self._database.transaction("get_work_order") as tx:
            view = await queries.get_work_order(tx, self._sealer, request.work_order, caller(context))
        return work_order_message(view)

    async def GetWorkOrderHistory(
        self, request: work_orders_pb2.GetWorkOrderHistoryRequest, context: Context
    ) -> work_orders_pb2.GetWorkOrderHistoryResponse:
        async with self._database.transaction("get_work_order_history") as tx:
            rows = await queries.get_history(tx, self._sealer, request.work_order, caller(context))
        return work_orders_pb2.GetWorkOrderHistoryResponse(entries=[history_message(row) for row in rows])

    async def ListWorkOrders(
        self, request: work_orders_pb2.ListWorkOrdersRequest, context: Context
    ) -> work_orders_pb2.ListWorkOrdersResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_work_orders") as tx:
            found = await queries.list_work_orders(
                tx,
                self._sealer,
                caller(context),
                state=state_of(request.state),
                engineer_id=UUID(request.engineer_id) if request.engineer_id else None,
                case_id=UUID(request.case_id) if request.case_id else None,
                region=request.region,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].order.work_order_id) if len(found) > size else ""
        return work_orders_pb2.ListWorkOrdersResponse(
            work_orders=[work_order_message(view) for view in page], next_page_token=more
        )

    async def AssignWorkOrder(
        self, request: work_orders_pb2.AssignWorkOrderRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(
            request,
            context,
            commands.assign_work_order,
            sealer=self._sealer,
            engineer_id=UUID(request.engineer_id),
            reason=request.reason,
        )

    async def AcceptWorkOrder(
        self, request: work_orders_pb2.WorkOrderStepRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(request, context, commands.accept_work_order)

    async def RejectWorkOrder(
        self, request: work_orders_pb2.RejectWorkOrderRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(
            request, context, commands.reject_work_order, sealer=self._sealer, reason=request.reason
        )

    async def StartTravel(
        self, request: work_orders_pb2.WorkOrderStepRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(request, context, commands.start_travel)

    async def ArriveOnSite(
        self, request: work_orders_pb2.WorkOrderStepRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(request, context, commands.arrive_on_site)

    async def CompleteWorkOrder(
        self, request: work_orders_pb2.CompleteWorkOrderRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(
            request, context, commands.complete_work_order, sealer=self._sealer, report=request.report
        )

    async def FailWorkOrder(
        self, request: work_orders_pb2.FailWorkOrderRequest, context: Context
    ) -> work_orders_pb2.WorkOrder:
        return await self._change(
            request, context, commands.fail_work_order, sealer=self._sealer, failure=request.failure
        )

    async def _change(
        self, request: Change, context: Context, use_case: UseCase, **arguments: Any
    ) -> work_orders_pb2.WorkOrder:
        """Runs the use case in a transaction of its own. A Fault that it returns is raised once that is committed."""
        attempt = Attempt(caller(context), request.work_order, request.expected_version)

        async def change(tx: UnitOfWork) -> queries.View | Fault:
            after = await use_case(tx, attempt, self._placement, **arguments)
            return after if isinstance(after, Fault) else (await queries.describe(tx, self._sealer, [after]))[0]

        changed = await self._database.run(use_case.__name__, change)
        if isinstance(changed, Fault):
            raise changed
        return work_order_message(changed)
