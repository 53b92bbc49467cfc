"""Builds records and runs it: `python -m records` serves, `python -m records migrate` updates the database."""

from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub
from bihuan.records.v1.accesses_pb2_grpc import add_AccessServiceServicer_to_server
from bihuan.records.v1.log_pb2_grpc import add_LogServiceServicer_to_server
from bihuan.records.v1.records_pb2_grpc import add_RecordServiceServicer_to_server
from bihuan.records.v1.retention_pb2_grpc import add_RetentionServiceServicer_to_server
from servicekit.rpc.client import Channel
from servicekit.service import Platform, Service, run
from servicekit.signing import SigningKey

from records.clocks import build_clocks
from records.facts import entity_facts
from records.files.tables import PARTITIONED
from records.keyholders import Keyholders
from records.log.sequencer import Sequencer
from records.policy import Policy
from records.reactions import build_reactions
from records.rpc.accesses import AccessServicer
from records.rpc.log import LogServicer
from records.rpc.records import RecordServicer
from records.rpc.retention import RetentionServicer
from records.settings import COMPLAINTS, INTAKE, RecordsSettings


def build(settings: RecordsSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("records", settings)
    database, standards, policy = platform.database, platform.standards, Policy.of(platform.standards)
    key = SigningKey(settings.log_key_bytes)
    keyholders = Keyholders(
        CustomerServiceStub(Channel(settings.targets[INTAKE])),  # type: ignore[no-untyped-call]
        ComplaintServiceStub(Channel(settings.targets[COMPLAINTS])),  # type: ignore[no-untyped-call]
    )
    sequencer = Sequencer(database, key)
    database.on_commit_with_events(sequencer.wake)
    return Service(
        platform,
        servicers=[
            (add_RecordServiceServicer_to_server, RecordServicer(database, policy)),
            (add_AccessServiceServicer_to_server, AccessServicer(database, keyholders, key, standards)),
            (add_LogServiceServicer_to_server, LogServicer(database, key)),
            (add_RetentionServiceServicer_to_server, RetentionServicer(database, policy)),
        ],
        reactions=build_reactions(standards),
        deadlines=build_clocks(),
        entity_facts=entity_facts,
        partitioned=PARTITIONED,
        background={"sequencer": sequencer.run},
        handles_together=True,
    )


if __name__ == "__main__":
    run(build, RecordsSettings)
