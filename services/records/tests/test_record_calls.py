"""Records over real gRPC, with intake as a stand-in that opens sealed texts (REC-01, REC-03, REC-06, REC-07)."""

import hashlib
import json

import pytest
from bihuan.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from bihuan.intake.v1 import customers_pb2, customers_pb2_grpc, events_pb2
from bihuan.records.v1 import accesses_pb2 as pb
from bihuan.records.v1 import (
    accesses_pb2_grpc,
    log_pb2,
    log_pb2_grpc,
    records_pb2,
    records_pb2_grpc,
    retention_pb2,
    retention_pb2_grpc,
)
from bihuan_verify.bag import read_bag
from bihuan_verify.documents import read_keys
from bihuan_verify.package import check_package
from google.protobuf.json_format import MessageToDict
from records.files.commands import file_closed
from records.files.tables import ACCESSES, RECORDS, VERSIONS
from records.keyholders import Keyholders
from records.log.tables import ENTRIES
from records.rpc.accesses import AccessServicer
from records.rpc.log import LogServicer
from records.rpc.records import RecordServicer
from records.rpc.retention import RetentionServicer
from servicekit.customerkeys import written
from servicekit.errors import Fault
from servicekit.identity import Principal, caller
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server
from sqlalchemy import select, update

from standards import load

PEOPLE = {
    "archivist": Principal("archivist", frozenset({"archivist"}), "cn.gd"),
    "supervisor": Principal("supervisor", frozenset({"supervisor"}), "cn"),
    "elsewhere": Principal("archivist2", frozenset({"archivist"}), "cn.sc"),
    "agent": Principal("agent", frozenset({"agent"}), "cn.gd"),
    "auditor": Principal("auditor", frozenset({"auditor"}), "cn"),
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
        # What happens in the archive while the texts are opened here.
        self.meanwhile = None

    async def Unseal(self, request, context):  # noqa: N802 -- the contract's name
        self.asked_by.append(caller(context).user_id)
        if self.meanwhile:
            await self.meanwhile()
            self.meanwhile = None
        texts = ["" if self.erased else sealed[1:].decode() for sealed in request.sealed]
        return customers_pb2.UnsealResponse(texts=texts, erased=self.erased)


async def always() -> bool:
    return True


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
async def served(database, desk, intake):
    """The archive's stubs by the caller's name."""
    options = {"tokens": Tokens(), "is_ready": always}
    add_intake = customers_pb2_grpc.add_CustomerServiceServicer_to_server
    intake_server = Server("127.0.0.1:0", [(add_intake, intake)], **options)
    await intake_server.start()
    to_intake = Channel(intake_server.address)
    keyholders = Keyholders(customers_pb2_grpc.CustomerServiceStub(to_intake), ComplaintServiceStub(to_intake))
    servicers = [
        (records_pb2_grpc.add_RecordServiceServicer_to_server, RecordServicer(database, desk.policy)),
        (
            accesses_pb2_grpc.add_AccessServiceServicer_to_server,
            AccessServicer(database, keyholders, desk.key, desk.standards),
        ),
        (log_pb2_grpc.add_LogServiceServicer_to_server, LogServicer(database, desk.key)),
        (retention_pb2_grpc.add_RetentionServiceServicer_to_server, RetentionServicer(database, desk.policy)),
    ]
    server = Server("127.0.0.1:0", servicers, **options)
    await server.start()
    channels = {name: Channel(server.address, lambda name=name: name, language="en") for name in PEOPLE}
    channels[""] = Channel(server.address)
    yield {name: Stubs(channel) for name, channel in channels.items()}
    for channel in (*channels.values(), to_intake):
        await channel.close()
    await server.stop(0)
    await intake_server.stop(0)


class Stubs:
    """Everything that records serves, for one caller."""

    def __init__(self, channel: Channel) -> None:
        self.records = records_pb2_grpc.RecordServiceStub(channel)
        self.accesses = accesses_pb2_grpc.AccessServiceStub(channel)
        self.log = log_pb2_grpc.LogServiceStub(channel)
        self.retention = retention_pb2_grpc.RetentionServiceStub(channel)


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


async def approved(served, record: str, purpose: str = "<客户> & 查询") -> str:
    """The id of a request of the archivist that the supervisor approved."""
    asked = await served["archivist"].accesses.RequestAccess(pb.RequestAccessRequest(record=record, purpose=purpose))
    await served["supervisor"].accesses.ApproveAccess(pb.ApproveAccessRequest(request_id=asked.request_id))
    return asked.request_id


async def test_rec_03_an_opened_record_has_history_and_texts_by_the_callers_own_right(served, intake, filed):
    request = pb.OpenRecordRequest(request_id=await approved(served, filed.case_id))
    opened = await served["archivist"].accesses.OpenRecord(request)
    assert opened.record.result == filed.snapshot.result
    assert list(opened.history) == list(filed.history)
    assert [text.text for text in opened.texts] == [*(str(serial) for serial in range(101)), filed.snapshot.result]
    assert (opened.texts[-1].role, opened.texts[-1].erased) == ("result", False)
    assert (opened.record.grade, opened.record.complete) == (records_pb2.DATA_GRADE_SENSITIVE, True)
    assert intake.asked_by == ["archivist", "archivist"]
    # Who, when and what for is all over the page, and nothing in it is markup of others.
    assert opened.watermark.startswith("Opened by archivist at 2026")
    assert opened.html.count("&lt;客户&gt; &amp; 查询") > 10
    assert "<客户>" not in opened.html
    seen = await served["auditor"].accesses.ListRecordAccesses(pb.ListRecordAccessesRequest(record=filed.case_id))
    assert [(access.user_id, access.outcome) for access in seen.accesses] == [("archivist", "opened")]


async def test_rec_05_a_result_that_came_sealed_is_opened_by_who_sealed_it(served, intake, desk, a_closed_case):
    result = written(b"\0" + "王女士家的宽带已恢复".encode())
    filed = a_closed_case(result=result)
    filed.sealed[0].sealed = b"\0words"
    assert (await desk.file(filed)).result == result
    request = pb.OpenRecordRequest(request_id=await approved(served, filed.case_id))
    opened = await served["archivist"].accesses.OpenRecord(request)
    assert opened.record.result == "王女士家的宽带已恢复"
    assert [text.text for text in opened.texts] == ["words", opened.record.result]
    intake.erased = True
    opened = await served["archivist"].accesses.OpenRecord(request)
    assert (opened.record.result, [text.erased for text in opened.texts]) == ("", [True, True])


async def test_rec_06_after_erasure_the_texts_are_empty_and_the_proofs_hold(served, intake, desk, filed):
    await desk.sequence()
    request_id = await approved(served, filed.case_id)
    keys = await served[""].log.ListLogKeys(log_pb2.ListLogKeysRequest())
    trusted = read_keys(MessageToDict(keys, preserving_proto_field_name=True))
    packages = []
    for erased in (False, True):
        intake.erased = erased
        export = pb.ExportRecordRequest(request_id=request_id)
        exported = await served["archivist"].accesses.ExportRecord(export)
        packages.append(exported.package)
        assert exported.sha256 == hashlib.sha256(exported.package).hexdigest()
        assert await desk.do(exports_of, exported.sha256) == 1
        outcome = check_package(packages[-1], trusted)
        assert [finding.text("en") for finding in outcome.findings] == []
    before, after = (read_bag(package) for package in packages)
    assert before["data/content/version-1.json"] == after["data/content/version-1.json"]
    assert {text["text"] for text in json.loads(before["data/record.json"])["texts"]} > {"17"}
    gone = json.loads(after["data/record.json"])["texts"][0]
    assert ("text" in gone, gone["erased"]) == (False, True)
    assert "erased at the customer" in after["data/record.en.html"].decode()
    assert "已按客户要求清除" in after["data/record.zh-CN.html"].decode()
    assert_in_words(after["data/record.zh-CN.html"].decode())


async def test_rec_07_a_package_is_of_the_version_that_was_opened(served, intake, desk, filed):
    await desk.sequence()
    request_id = await approved(served, filed.case_id)

    async def file_again():
        again = events_pb2.CaseClosed()
        again.CopyFrom(filed)
        again.snapshot.version += 1
        await desk.file(again)
        await desk.sequence()

    intake.meanwhile = file_again
    export = pb.ExportRecordRequest(request_id=request_id)
    package = (await served["archivist"].accesses.ExportRecord(export)).package
    assert check_package(package, desk.trusted()).findings == []
    assert "data/content/version-2.json" not in read_bag(package)


@pytest.mark.parametrize("code", ["record_unknown", "record_destroyed"])
async def test_rec_07_no_package_of_what_went_meanwhile(served, intake, desk, filed, code):
    await desk.sequence()
    request_id = await approved(served, filed.case_id)

    async def take_away(tx):
        await tx.execute(VERSIONS.delete())
        await tx.execute(update(RECORDS).values(destroyed_at=tx.now if code == "record_destroyed" else None))

    intake.meanwhile = lambda: desk.do(take_away)
    export = pb.ExportRecordRequest(request_id=request_id)
    assert await code_of(served["archivist"].accesses.ExportRecord(export)) == code


def assert_in_words(page: str) -> None:
    """No code where there is a word for it."""
    assert "<td>受理</td>" in page
    assert "沟通记录" in page
    assert "case_opened" not in page
    assert "interaction" not in page


async def exports_of(tx, sha256: str) -> int:
    """How many entries of the log swear to a package."""
    told = select(ENTRIES.c.entry).where(ENTRIES.c.kind == "record_exported")
    return [json.loads(entry)["facts"]["sha256"] for entry in (await tx.execute(told)).scalars()].count(sha256)


async def test_rec_07_a_package_filed_a_moment_ago_comes_with_the_next_head(served, filed):
    request_id = await approved(served, filed.case_id)
    export = served["archivist"].accesses.ExportRecord(pb.ExportRecordRequest(request_id=request_id))
    assert await code_of(export) == "log_entry_waiting"


async def test_rec_04_heads_and_proofs_are_for_anybody_and_show_no_entry(served, desk, filed):
    await desk.sequence()
    head = await served[""].log.GetTreeHead(log_pb2.GetTreeHeadRequest())
    page = await served["auditor"].log.ListLogEntries(log_pb2.ListLogEntriesRequest())
    assert (head.tree_size, page.head) == (1, head)
    (entry,) = page.entries
    proof = await served[""].log.GetInclusionProof(log_pb2.GetInclusionProofRequest(leaf_hash=entry.leaf_hash))
    assert (proof.entry, proof.leaf_index, proof.head) == (b"", 0, head)
    assert await code_of(served["archivist"].log.ListLogEntries(log_pb2.ListLogEntriesRequest())) == "role_forbidden"


async def test_rec_09_a_refused_look_leaves_its_trace(served, database, filed):
    request = records_pb2.GetRecordRequest(record=filed.case_id)
    assert await code_of(served["elsewhere"].records.GetRecord(request)) == "domain_forbidden"
    assert await code_of(served["agent"].records.GetRecord(request)) == "role_forbidden"
    async with database.transaction("accesses") as tx:
        seen = (await tx.execute(select(ACCESSES.c.user_id, ACCESSES.c.outcome))).all()
    assert [tuple(row) for row in seen] == [("archivist2", "domain_forbidden")]


async def test_rec_03_the_catalogue_shows_no_content(served, database, filed, a_closed_case):
    async with database.transaction("file") as tx:
        await file_closed(tx, a_closed_case(), load())
    calls = served["agent"].records
    first = await calls.ListRecords(records_pb2.ListRecordsRequest(page_size=1))
    rest = await calls.ListRecords(records_pb2.ListRecordsRequest(page_size=1, page_token=first.next_page_token))
    assert (len(first.records), rest.next_page_token) == (1, "")
    (record,) = rest.records
    assert record.case_id == filed.case_id
    looked_up = await served["archivist"].records.GetRecord(records_pb2.GetRecordRequest(record=filed.case_id))
    for shown in (record, looked_up):
        assert (shown.result, len(shown.history), len(shown.texts)) == ("", 0, 0)
    assert not (await served["elsewhere"].records.ListRecords(records_pb2.ListRecordsRequest())).records


async def test_rec_06_holds_are_seen_in_the_catalogue(served, filed):
    calls = served["archivist"].retention
    held = await calls.PlaceHold(retention_pb2.PlaceHoldRequest(record=filed.case_id, reason="诉讼"))
    looked_up = await served["archivist"].records.GetRecord(records_pb2.GetRecordRequest(record=filed.case_id))
    assert looked_up.on_hold is True
    (listed,) = (await calls.ListHolds(retention_pb2.ListHoldsRequest(record=filed.case_id))).holds
    assert listed == held
    proposal = retention_pb2.ProposeDestructionRequest(record=filed.case_id, reason="占地方")
    assert await code_of(calls.ProposeDestruction(proposal)) == "record_on_hold"
    assert not (await calls.ListDestructions(retention_pb2.ListDestructionsRequest())).destructions
    unknown = retention_pb2.GetDestructionRequest(destruction_id=held.hold_id)
    assert await code_of(calls.GetDestructionCertificate(unknown)) == "destruction_unknown"


async def test_rec_06_a_hold_told_twice_is_one_and_holds_come_in_pages(served, filed):
    calls = served["archivist"].retention
    asked = [
        retention_pb2.PlaceHoldRequest(record=filed.case_id, reason="诉讼", idempotency_key=key)
        for key in ("first", "first", "second")
    ]
    placed = [await calls.PlaceHold(each) for each in asked]
    assert placed[0] == placed[1]
    page = await calls.ListHolds(retention_pb2.ListHoldsRequest(record=filed.case_id, page_size=1))
    rest = retention_pb2.ListHoldsRequest(record=filed.case_id, page_size=1, page_token=page.next_page_token)
    last = await calls.ListHolds(rest)
    assert [*page.holds, *last.holds] == [placed[0], placed[2]]
    assert last.next_page_token == ""


async def test_rec_03_requests_are_listed_for_who_decides_and_for_who_asked(served, filed):
    request_id = await approved(served, filed.case_id)
    listed = pb.ListAccessRequestsRequest(state=pb.ACCESS_REQUEST_STATE_APPROVED, record=filed.case_id)
    for name, expected in (("supervisor", [request_id]), ("archivist", [request_id]), ("elsewhere", []), ("agent", [])):
        found = await served[name].accesses.ListAccessRequests(listed)
        assert [request.request_id for request in found.requests] == expected, name
    one = pb.GetAccessRequestRequest(request_id=request_id)
    assert (await served["auditor"].accesses.GetAccessRequest(one)).approved_by == ["supervisor"]
    assert await code_of(served["elsewhere"].accesses.GetAccessRequest(one)) == "access_request_unknown"
