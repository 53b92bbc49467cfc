"""Builds records and runs it: `python -m records` serves, `python -m records migrate` updates the database."""

from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub
from bihuan.records.v1.records_pb2_grpc import add_RecordServiceServicer_to_server
from servicekit.deadlines import DeadlineHandlers
from servicekit.rpc.client import Channel
from servicekit.service import Platform, Service, run

from records.facts import entity_facts
from records.files.tables import PARTITIONED
from records.reactions import build_reactions
from records.rpc import RecordServicer
from records.settings import INTAKE, RecordsSettings


def build(settings: RecordsSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("records", settings)
    customers = CustomerServiceStub(Channel(settings.targets[INTAKE]))  # type: ignore[no-untyped-call]
    return Service(
        platform,
        servicers=[(add_RecordServiceServicer_to_server, RecordServicer(platform.database, customers))],
        reactions=build_reactions(platform.standards),
        # Filing is timed by intake's clock `filing`; records has none of its own yet.
        deadlines=DeadlineHandlers(),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
    )


if __name__ == "__main__":
    run(build, RecordsSettings)
