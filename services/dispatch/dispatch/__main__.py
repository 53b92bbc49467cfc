"""Builds the dispatch service and runs it."""

from bihuan.dispatch.v1.appointments_pb2_grpc import add_AppointmentSlotServiceServicer_to_server
from bihuan.dispatch.v1.engineers_pb2_grpc import add_EngineerServiceServicer_to_server
from bihuan.dispatch.v1.work_orders_pb2_grpc import add_WorkOrderServiceServicer_to_server
from servicekit.service import Platform, Service, run
from servicekit.settings import ServiceSettings

from dispatch.clocks import build_clocks
from dispatch.facts import entity_facts
from dispatch.policy import Policy
from dispatch.reactions import build_reactions
from dispatch.rpc.appointments import AppointmentSlotServicer
from dispatch.rpc.engineers import EngineerServicer
from dispatch.rpc.work_orders import WorkOrderServicer
from dispatch.work_orders.placement import Placement
from dispatch.work_orders.tables import PARTITIONED


def build(settings: ServiceSettings) -> Service:
    platform = Platform.create("dispatch", settings)
    placement = Placement(Policy.of(platform.standards))
    return Service(
        platform,
        servicers=[
            (add_EngineerServiceServicer_to_server, EngineerServicer(platform.database, placement)),
            (add_WorkOrderServiceServicer_to_server, WorkOrderServicer(platform.database, placement)),
            (
                add_AppointmentSlotServiceServicer_to_server,
                AppointmentSlotServicer(platform.database, placement.policy),
            ),
        ],
        reactions=build_reactions(placement),
        deadlines=build_clocks(placement),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
    )


if __name__ == "__main__":
    run(build, ServiceSettings)
