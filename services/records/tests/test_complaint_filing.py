"""A closed complaint becomes a record as a closed case does (REC-01, REC-02)."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from bihuan.complaints.v1 import complaints_pb2, events_pb2
from records.files.commands import file_closed
from records.files.queries import find_record, read_version
from records.files.rules import missing_from_complaint
from servicekit.casenumbers import issue

from standards import load

AT = datetime(2026, 3, 2, tzinfo=UTC)


def a_closed_complaint(**facts) -> events_pb2.ComplaintClosed:
    complaint_id = str(uuid4())
    snapshot = {
        "complaint_id": complaint_id,
        "complaint_number": issue("C", AT.date(), uuid4().int % 10**7),
        "version": 9,
        "customer_id": str(uuid4()),
        "region": "cn.gd.gz",
        "category": "internet_access",
        "complaint_class": "technical_problem",
        "owner": "agent",
        "handler": "handler",
        "result": "已修复",
        "outcome": "COMPLAINT_OUTCOME_ACCEPTED",
        "satisfaction": 4,
        "summary": "线路老化",
        "accepted_at": AT,
        "closed_at": AT,
        **facts,
    }
    return events_pb2.ComplaintClosed(
        complaint_id=complaint_id,
        snapshot=complaints_pb2.Complaint(**snapshot),
        history=[complaints_pb2.ComplaintHistoryEntry(at=AT, happened="complaint_registered", actor="customer")],
        sealed=[events_pb2.SealedText(role="description", at=AT, sealed=b"\x00sealed")],
    )


async def test_it_is_filed_once_and_read_back_whole(database):
    closed = a_closed_complaint()
    for _ in range(2):
        async with database.transaction("file") as tx:
            await file_closed(tx, closed, load())
    async with database.transaction("read") as tx:
        record = await find_record(tx, closed.complaint_id)
        by_number = await find_record(tx, closed.snapshot.complaint_number)
        content = await read_version(tx, record)
    assert (record.record_class, record.kind, record.version, record.missing) == (
        "complaint",
        "technical_problem",
        1,
        [],
    )
    assert record.grade == load().retention["complaint"].grade
    assert record.staff == ["agent", "handler"]
    assert (by_number, content) == (record, closed)


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"satisfaction": 0}, ["rating"]),
        ({"satisfaction": 0, "outcome": "COMPLAINT_OUTCOME_UNANSWERED"}, []),
        ({"result": ""}, ["result"]),
        ({"summary": ""}, ["feedback"]),
        ({"outcome": "COMPLAINT_OUTCOME_WITHDRAWN", "result": "", "summary": "", "satisfaction": 0}, []),
    ],
)
def test_what_is_missing_is_named(facts, missing):
    assert missing_from_complaint(a_closed_complaint(**facts)) == missing


async def test_rec_05_a_dispute_is_kept_as_one_and_guarded_more(database):
    disputed = a_closed_complaint(dispute=[complaints_pb2.DisputeStage()])
    async with database.transaction("file") as tx:
        await file_closed(tx, disputed, load())
        record = await find_record(tx, disputed.complaint_id)
    assert (record.record_class, record.retention_class, record.grade) == ("complaint", "dispute", "core")
