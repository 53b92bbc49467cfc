"""Builds intake and runs it: `python -m intake` serves, `python -m intake migrate` updates the database."""

from bihuan.intake.v1 import appointments_pb2_grpc, cases_pb2_grpc, customers_pb2_grpc
from servicekit.service import Platform, Service, run
from servicekit.settings import ServiceSettings

from intake.cases.tables import PARTITIONED
from intake.clocks import build_clocks
from intake.customers.tables import CUSTOMERS
from intake.desk import Desk
from intake.facts import entity_facts
from intake.proposals import Proposer
from intake.reactions import build_reactions
from intake.rpc.appointments import AppointmentServicer
from intake.rpc.cases import CaseServicer
from intake.rpc.customers import CustomerServicer


def build(settings: ServiceSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("intake", settings)
    desk = Desk(platform.standards, platform.sealer, Proposer(platform.standards))
    return Service(
        platform,
        servicers=[
            (cases_pb2_grpc.add_CaseServiceServicer_to_server, CaseServicer(platform.database, desk)),
            (customers_pb2_grpc.add_CustomerServiceServicer_to_server, CustomerServicer(platform.database, desk)),
            (
                appointments_pb2_grpc.add_AppointmentServiceServicer_to_server,
                AppointmentServicer(platform.database, desk),
            ),
        ],
        reactions=build_reactions(desk),
        deadlines=build_clocks(desk),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
        customer_keys=CUSTOMERS,
    )


if __name__ == "__main__":
    run(build, ServiceSettings)
