"""What dispatch does for other services: the work orders that they ask for or call off (DSP-03)."""

from bihuan.dispatch.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.messaging import NotYet, Reactions, Received

from dispatch.work_orders.creation import cancel_work_order, create_work_order
from dispatch.work_orders.placement import Placement


def build_reactions(placement: Placement) -> Reactions:
    reactions = Reactions("dispatch")

    @reactions.on(events_pb2.CreateWorkOrder)
    async def create(tx: UnitOfWork, wanted: events_pb2.CreateWorkOrder, _received: Received) -> None:
        await create_work_order(tx, wanted, placement)

    @reactions.on(events_pb2.CancelWorkOrder)
    async def cancel(tx: UnitOfWork, wanted: events_pb2.CancelWorkOrder, _received: Received) -> None:
        try:
            await cancel_work_order(tx, wanted, placement)
        except Fault as fault:
            if fault.code == "work_order_unknown":
                raise NotYet("the work order to cancel is not created yet") from fault
            raise

    return reactions
