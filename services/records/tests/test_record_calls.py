"""RecordService over real gRPC, with intake as a stand-in that opens sealed texts (REC-01, REC-03, REC-06)."""

import pytest
from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.intake.v1 import customers_pb2, customers_pb2_grpc, events_pb2
from bihuan.records.v1 import records_pb2, records_pb2_grpc
from records.files.commands import file_closed
from records.files.tables import ACCESSES
from records.keyholders import Keyholders
from records.rpc import RecordServicer
from servicekit.errors import Fault
from servicekit.identity import Principal, caller
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server
from sqlalchemy import select

from standards import load

PEOPLE = {
    "archivist": Principal("archivist", frozenset({"archivist"}), "cn.gd"),
    "elsewhere": Principal("archivist2", frozenset({"archivist"}), "cn.sc"),
    "agent": Principal("agent", frozenset({"agent"}), "cn.gd"),
}


class Tokens:
    """A token is the name of who it speaks for."""

    async def verify(self, token: str) -> Principal:
        return PEOPLE[token]


class Intake(customers_pb2_grpc.CustomerServiceServicer):
    """Opens every text by taking off its first byte, and remembers who asked."""

    def __init__(self) -> None:
        self.erased = False
        self.asked_by: list[str] = []

    async def Unseal(self, request, context):  # noqa: N802 -- the contract's name
        self.asked_by.append(caller(context).user_id)
        texts = ["" if self.erased else sealed[1:].decode() for sealed in request.sealed]
        return customers_pb2.UnsealResponse(texts=texts, erased=self.erased)


async def always() -> bool:
    return True


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
async def served(database, intake):
    """Record stubs by the caller's name."""
    options = {"tokens": Tokens(), "is_ready": always}
    add_intake = customers_pb2_grpc.add_CustomerServiceServicer_to_server
    intake_server = Server("127.0.0.1:0", [(add_intake, intake)], **options)
    await intake_server.start()
    to_intake = Channel(intake_server.address)
    servicer = RecordServicer(
        database,
        Keyholders(customers_pb2_grpc.CustomerServiceStub(to_intake), ComplaintServiceStub(to_intake)),
    )
    server = Server("127.0.0.1:0", [(records_pb2_grpc.add_RecordServiceServicer_to_server, servicer)], **options)
    await server.start()
    channels = {name: Channel(server.address, lambda name=name: name) for name in PEOPLE}
    yield {name: records_pb2_grpc.RecordServiceStub(channel) for name, channel in channels.items()}
    for channel in (*channels.values(), to_intake):
        await channel.close()
    await server.stop(0)
    await intake_server.stop(0)


@pytest.fixture
async def filed(database, a_closed_case):
    """A filed case with more texts than one call to intake opens."""
    closed = a_closed_case()
    del closed.sealed[:]
    closed.sealed.extend(
        events_pb2.SealedText(role="interaction", sealed=b"\0" + str(serial).encode()) for serial in range(101)
    )
    async with database.transaction("file") as tx:
        await file_closed(tx, closed, load())
    return closed


async def code_of(call) -> str:
    with pytest.raises(Fault) as refused:
        await call
    return refused.value.code


async def test_a_record_comes_with_history_and_texts_opened_by_the_callers_own_right(served, intake, filed):
    record = await served["archivist"].GetRecord(records_pb2.GetRecordRequest(record=filed.case_id))
    assert record.result == filed.snapshot.result
    assert list(record.history) == list(filed.history)
    assert [text.text for text in record.texts] == [str(serial) for serial in range(101)]
    assert (record.grade, record.complete) == (records_pb2.DATA_GRADE_SENSITIVE, True)
    assert intake.asked_by == ["archivist", "archivist"]


async def test_rec_06_after_erasure_the_texts_are_empty_and_the_rest_stays(served, intake, filed):
    intake.erased = True
    record = await served["archivist"].GetRecord(records_pb2.GetRecordRequest(record=filed.case_id))
    assert {text.text for text in record.texts} == {""}
    assert record.case_number == filed.snapshot.case_number


async def test_rec_09_a_refused_look_leaves_its_trace(served, database, filed):
    request = records_pb2.GetRecordRequest(record=filed.case_id)
    assert await code_of(served["elsewhere"].GetRecord(request)) == "domain_forbidden"
    assert await code_of(served["agent"].GetRecord(request)) == "role_forbidden"
    async with database.transaction("accesses") as tx:
        seen = (await tx.execute(select(ACCESSES.c.user_id, ACCESSES.c.outcome))).all()
    assert [tuple(row) for row in seen] == [("archivist2", "domain_forbidden")]


async def test_rec_03_the_catalogue_shows_no_content(served, database, filed, a_closed_case):
    async with database.transaction("file") as tx:
        await file_closed(tx, a_closed_case(), load())
    first = await served["agent"].ListRecords(records_pb2.ListRecordsRequest(page_size=1))
    rest = await served["agent"].ListRecords(
        records_pb2.ListRecordsRequest(page_size=1, page_token=first.next_page_token)
    )
    assert (len(first.records), rest.next_page_token) == (1, "")
    (record,) = rest.records
    assert record.case_id == filed.case_id
    assert (record.result, len(record.history), len(record.texts)) == ("", 0, 0)
    assert not (await served["elsewhere"].ListRecords(records_pb2.ListRecordsRequest())).records
