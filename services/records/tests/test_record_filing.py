"""Filing and opening records on a real database (REC-01, REC-02, REC-03, REC-09)."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from records.facts import entity_facts
from records.files.commands import file_closed, look_up
from records.files.content import content_hash
from records.files.queries import find_record, list_records
from records.files.record import Record
from records.files.tables import ACCESSES, RECORDS, VERSIONS
from records.log.tables import ENTRIES
from servicekit.casenumbers import issue
from servicekit.database.tables import outbox
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import select, update

from standards import load

ARCHIVIST = Principal("archivist", frozenset({"archivist"}), "cn.gd")
ELSEWHERE = Principal("archivist2", frozenset({"archivist"}), "cn.sc")


@pytest.fixture
def archive(database):
    async def file(closed):
        async with database.transaction("file_closed") as tx:
            await file_closed(tx, closed, load())

    return file


@pytest.fixture
def rows(database):
    """Every row of a table, oldest first."""

    async def read(table, *order):
        async with database.transaction("rows") as tx:
            return (await tx.execute(select(table).order_by(*order))).all()

    return read


@pytest.fixture
def find(database):
    async def by(reference):
        async with database.transaction("find") as tx:
            return await find_record(tx, reference)

    return by


@pytest.fixture
def look_up_as(database):
    async def look(reference, principal=ARCHIVIST):
        async with database.transaction("look_up") as tx:
            return await look_up(tx, reference, principal)

    return look


async def problems(database):
    async with database.transaction("facts") as tx:
        facts = await entity_facts(tx, "", 100)
        return [(fact.case_id, *fact.problems) for fact in facts if fact.entity == "record"]


async def test_rec_01_a_closed_case_becomes_one_complete_record(database, archive, rows, find, a_closed_case):
    closed = a_closed_case()
    await archive(closed)
    record = await find(closed.case_id)
    assert record.record_number.startswith("R2603-")
    assert (record.version, record.grade, record.complete, record.staff) == (1, "sensitive", True, ["agent1", "li"])
    assert (record.outcome, record.satisfaction, record.region) == ("solved", 5, "cn.gd.gz")
    (version,) = await rows(VERSIONS)
    assert content_hash(version.content) == version.content_hash == record.content_hash
    (event,) = await rows(outbox)
    (entry,) = await rows(ENTRIES)
    assert json.loads(entry.entry)["facts"]["content_hash"] == record.content_hash
    assert event.subject == "bihuan.records.record.filed.v1"
    assert (event.case_id, event.entity_id, event.entity_version) == (closed.case_id, str(record.record_id), 1)
    assert json.loads(event.body)["complete"] is True
    assert await problems(database) == [(closed.case_id,)]


async def test_a_number_names_the_month_of_the_platforms_calendar(manual_clock, archive, find, a_closed_case):
    """The last night of a month in UTC is already the next month's first morning in China."""
    manual_clock.advance(datetime(2026, 3, 31, 16, 30, tzinfo=UTC) - manual_clock.now())
    closed = a_closed_case()
    await archive(closed)
    assert (await find(closed.case_id)).record_number.startswith("R2604-")


async def test_rec_02_closed_three_times_the_same_there_is_one_version(archive, rows, a_closed_case):
    closed = a_closed_case()
    for _ in range(3):
        await archive(closed)
    assert len(await rows(RECORDS)) == len(await rows(VERSIONS)) == len(await rows(outbox)) == 1


async def test_rec_02_closed_again_is_a_new_version_and_overwrites_nothing(
    database, manual_clock, archive, rows, a_closed_case
):
    closed = a_closed_case()
    await archive(closed)
    (first,) = await rows(RECORDS)
    manual_clock.advance(timedelta(days=40))
    closed.snapshot.version = 15
    closed.snapshot.result = "已更正"
    await archive(closed)
    (second,) = await rows(RECORDS)
    assert (second.record_id, second.record_number, second.version) == (first.record_id, first.record_number, 2)
    kept = await rows(VERSIONS, VERSIONS.c.version)
    assert [version.content_hash for version in kept] == [first.content_hash, second.content_hash]
    closed.snapshot.version = 12
    await archive(closed)
    assert await rows(RECORDS) == [second]
    assert await problems(database) == [(closed.case_id,)]


async def test_rec_01_an_incomplete_case_is_filed_and_says_what_is_missing(archive, find, a_closed_case):
    closed = a_closed_case(result="", customer_id="", accepted_at=None)
    await archive(closed)
    record = await find(closed.case_id)
    assert (record.complete, record.missing) == (False, ["date", "customer", "result"])


async def test_a_record_is_found_by_all_of_its_names(archive, find, a_closed_case):
    closed = a_closed_case(case_number=issue("", date(2026, 3, 1), 1))
    await archive(closed)
    record = await find(closed.case_id)
    for name in (str(record.record_id), record.record_number.lower(), record.case_number.replace("-", " ")):
        assert (await find(name)).record_id == record.record_id
    for unknown, code in ((str(UUID(int=5)), "record_unknown"), ("R2603-0000-0000", "case_number_invalid")):
        with pytest.raises(Fault) as refused:
            await find(unknown)
        assert refused.value.code == code


async def test_rec_09_every_look_is_written_down_also_a_refused_one(archive, rows, look_up_as, a_closed_case):
    closed = a_closed_case()
    await archive(closed)
    shown = await look_up_as(closed.case_id)
    assert isinstance(shown, Record)
    refusal = await look_up_as(closed.case_id, ELSEWHERE)
    assert isinstance(refusal, Fault)
    assert refusal.code == "domain_forbidden"
    accesses = await rows(ACCESSES, ACCESSES.c.access_id)
    assert [(access.user_id, access.outcome) for access in accesses] == [
        ("archivist", "shown"),
        ("archivist2", "domain_forbidden"),
    ]
    assert {access.record_id for access in accesses} == {shown.record_id}


async def test_rec_03_the_catalogue_pages_through_the_callers_domain(database, archive, a_closed_case):
    regions = ("cn.gd.gz", "cn.sc.cd", "cn.gd.sz", "cn.gd.gz")
    cases = [a_closed_case(region=region) for region in regions]
    for closed in cases:
        await archive(closed)
    everything = {"category": "", "region": "", "customer_id": None, "before": None, "limit": 2}
    async with database.transaction("list") as tx:
        first = await list_records(tx, ARCHIVIST, **everything)
        rest = await list_records(tx, ARCHIVIST, **everything | {"before": first[-1].record_id})
        in_sz = await list_records(tx, ARCHIVIST, **everything | {"region": "cn.gd.sz", "category": "internet_access"})
        own = await list_records(tx, ARCHIVIST, **everything | {"customer_id": UUID(cases[0].snapshot.customer_id)})
        nothing = await list_records(tx, ARCHIVIST, **everything | {"category": "voice"})
    assert [str(record.case_id) for record in (*first, *rest)] == [cases[3].case_id, cases[2].case_id, cases[0].case_id]
    assert [str(record.case_id) for record in in_sz] == [cases[2].case_id]
    assert [str(record.case_id) for record in own] == [cases[0].case_id]
    assert nothing == []


async def test_the_loop_check_sees_a_content_that_was_changed_or_lost(database, archive, a_closed_case):
    changed, lost = a_closed_case(), a_closed_case()
    await archive(changed)
    await archive(lost)
    async with database.transaction("tamper") as tx:
        ids = dict((await tx.execute(select(RECORDS.c.case_id, RECORDS.c.record_id))).all())
        of_changed = VERSIONS.c.record_id == ids[UUID(changed.case_id)]
        await tx.execute(update(VERSIONS).where(of_changed).values(content=b"{}"))
        await tx.execute(VERSIONS.delete().where(VERSIONS.c.record_id == ids[UUID(lost.case_id)]))
    assert await problems(database) == [
        (changed.case_id, "the content is not what was filed: its hash differs"),
        (lost.case_id, "the content is missing"),
    ]
