"""Builds complaints and runs it: `python -m complaints` serves, `python -m complaints migrate` updates the database."""

from bihuan.complaints.v1.complaint_service_pb2_grpc import add_ComplaintServiceServicer_to_server
from bihuan.complaints.v1.improvements_pb2_grpc import add_ImprovementServiceServicer_to_server
from servicekit.service import Platform, Service, run
from servicekit.settings import ServiceSettings

from complaints.clocks import build_clocks
from complaints.complainants import COMPLAINANTS
from complaints.complaints.tables import PARTITIONED
from complaints.desk import Desk
from complaints.facts import entity_facts
from complaints.proposals import Proposer
from complaints.reactions import build_reactions
from complaints.rpc.complaints import ComplaintServicer
from complaints.rpc.improvements import ImprovementServicer


def build(settings: ServiceSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("complaints", settings)
    desk = Desk(platform.standards, platform.sealer, Proposer(platform.standards))
    return Service(
        platform,
        servicers=[
            (add_ComplaintServiceServicer_to_server, ComplaintServicer(platform.database, desk)),
            (add_ImprovementServiceServicer_to_server, ImprovementServicer(platform.database, platform.standards)),
        ],
        reactions=build_reactions(desk),
        deadlines=build_clocks(platform.standards),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
        customer_keys=COMPLAINANTS,
    )


if __name__ == "__main__":
    run(build, ServiceSettings)
