"""Builds dispatch and runs it: `python -m dispatch` serves, `python -m dispatch migrate` updates the database."""

from functools import partial

from bihuan.dispatch.v1.alarms_pb2_grpc import add_AlarmServiceServicer_to_server
from bihuan.dispatch.v1.appointments_pb2_grpc import add_AppointmentSlotServiceServicer_to_server
from bihuan.dispatch.v1.engineers_pb2_grpc import add_EngineerServiceServicer_to_server
from bihuan.dispatch.v1.incidents_pb2_grpc import add_IncidentServiceServicer_to_server
from bihuan.dispatch.v1.work_orders_pb2_grpc import add_WorkOrderServiceServicer_to_server
from servicekit.service import Platform, Service, run
from servicekit.settings import ServiceSettings

from dispatch.clocks import build_clocks
from dispatch.facts import entity_facts
from dispatch.incidents import tables as incident_tables
from dispatch.incidents.ladder import Ladder
from dispatch.policy import Policy
from dispatch.reactions import build_reactions
from dispatch.rpc.appointments import AppointmentSlotServicer
from dispatch.rpc.engineers import EngineerServicer
from dispatch.rpc.incidents import AlarmServicer, IncidentServicer
from dispatch.rpc.work_orders import WorkOrderServicer
from dispatch.words import CUSTOMER_KEYS
from dispatch.work_orders import tables as work_order_tables
from dispatch.work_orders.placement import Placement


def build(settings: ServiceSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("dispatch", settings)
    placement, ladder = Placement(Policy.of(platform.standards)), Ladder.of(platform.standards)
    return Service(
        platform,
        servicers=[
            (add_EngineerServiceServicer_to_server, EngineerServicer(platform.database, placement)),
            (
                add_WorkOrderServiceServicer_to_server,
                WorkOrderServicer(platform.database, placement, platform.sealer),
            ),
            (
                add_AppointmentSlotServiceServicer_to_server,
                AppointmentSlotServicer(platform.database, placement.policy),
            ),
            (add_IncidentServiceServicer_to_server, IncidentServicer(platform.database, ladder)),
            (add_AlarmServiceServicer_to_server, AlarmServicer(platform.database, platform.standards, ladder)),
        ],
        reactions=build_reactions(placement, ladder),
        deadlines=build_clocks(placement, ladder),
        entity_facts=partial(entity_facts, ladder=ladder),
        partitioned=work_order_tables.PARTITIONED | incident_tables.PARTITIONED,
        customer_keys=CUSTOMER_KEYS,
    )


if __name__ == "__main__":
    run(build, ServiceSettings)
