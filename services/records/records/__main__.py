"""Builds records and runs it: `python -m records` serves, `python -m records migrate` updates the database."""

from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub
from bihuan.records.v1.records_pb2_grpc import add_RecordServiceServicer_to_server
from servicekit.deadlines import DeadlineHandlers
from servicekit.rpc.client import Channel
from servicekit.service import Platform, Service, run

from records.facts import entity_facts
from records.files.tables import PARTITIONED
from records.keyholders import Keyholders
from records.reactions import build_reactions
from records.rpc import RecordServicer
from records.settings import COMPLAINTS, INTAKE, RecordsSettings


def build(settings: RecordsSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("records", settings)
    keyholders = Keyholders(
        CustomerServiceStub(Channel(settings.targets[INTAKE])),  # type: ignore[no-untyped-call]
        ComplaintServiceStub(Channel(settings.targets[COMPLAINTS])),  # type: ignore[no-untyped-call]
    )
    return Service(
        platform,
        servicers=[(add_RecordServiceServicer_to_server, RecordServicer(platform.database, keyholders))],
        reactions=build_reactions(platform.standards),
        # Filing is timed by intake's clock `filing`; records has none of its own yet.
        deadlines=DeadlineHandlers(),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
    )


if __name__ == "__main__":
    run(build, RecordsSettings)
