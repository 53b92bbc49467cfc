"""Reading cases: who sees what, pages, filters, progress in both languages (INT-10, REC-05, GWY-08)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import cases_pb2
from intake.cases import handling, queries
from intake.cases.case import Stage
from intake.cases.progress import describe
from intake.cases.queries import Filters
from intake.customers.tables import CUSTOMERS
from intake.desk import Desk
from servicekit.clock import ManualClock
from servicekit.customerkeys import written
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import update

from servicekit import deadlines

ENGINEER = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
async def case(office, a_request, app: Principal):
    return (await office.open(a_request(), app)).case


async def shown(database: Database, desk: Desk, principal: Principal, reference: str) -> cases_pb2.Case:
    async with database.transaction("read") as tx:
        found = await queries.find_visible(tx, principal, reference)
        return (await queries.show(tx, desk, principal, [found]))[0]


async def test_a_case_is_found_by_id_and_by_number_as_spoken(
    database: Database, desk: Desk, case, agent: Principal
) -> None:
    by_number = await shown(database, desk, agent, case.case_number.replace("-", " "))
    assert by_number == await shown(database, desk, agent, str(case.case_id))
    with pytest.raises(Fault, match="case_unknown"):
        await shown(database, desk, agent, str(uuid4()))
    wrong = case.case_number[:-1] + str((int(case.case_number[-1]) + 1) % 10)
    with pytest.raises(Fault, match="case_number_invalid"):
        await shown(database, desk, agent, wrong)


async def test_rec05_the_customers_words_are_for_those_who_serve_them(
    database: Database, desk: Desk, case, agent: Principal
) -> None:
    myself = Principal("sub", frozenset({"customer"}), customer_id=str(case.customer_id))
    auditor = Principal("auditor", frozenset({"auditor"}), "cn")
    for reader, words in ((agent, "光猫红灯，上不了网"), (myself, "光猫红灯，上不了网"), (auditor, "")):
        assert (await shown(database, desk, reader, case.case_number)).description == words


async def test_rec05_a_broken_text_says_so_in_its_place_and_hides_no_others(
    database: Database, desk: Desk, case, agent: Principal
) -> None:
    damaged = case.model_copy(update={"sealed_description": b"?", "result": written(b"?")})
    async with database.transaction("read") as tx:
        broken, whole = await queries.show(tx, desk, agent, [damaged, case])
    assert broken.description == broken.result == "（此文本已无法打开）"
    assert (broken.subject, whole.description) == (whole.subject, "光猫红灯，上不了网")


async def test_rec05_a_customers_broken_key_hides_no_other_customers_cases(
    desk: Desk, office, a_request, case, agent: Principal
) -> None:
    other = (await office.open(a_request(phone="13900000000"), agent)).case
    async with office.database.transaction("damage") as tx:
        damaged = CUSTOMERS.c.customer_id == other.customer_id
        await tx.execute(update(CUSTOMERS).where(damaged).values(wrapped_key=b"?"))
        shown = await queries.show(tx, desk, agent, [other, case])
    assert [each.description for each in shown] == ["（此文本已无法打开）", "光猫红灯，上不了网"]


async def test_gwy08_everybody_sees_only_what_is_theirs(
    database: Database, desk: Desk, office, case, agent: Principal
) -> None:
    stranger = Principal("sub", frozenset({"customer"}), customer_id=str(uuid4()))
    engineer = Principal(f"user-{ENGINEER}", frozenset({"engineer"}), "cn.gd.gz")
    foreign = Principal("agent.sz", frozenset({"agent"}), "cn.gd.sz")
    for reader, code in ((stranger, "case_unknown"), (engineer, "case_unknown"), (foreign, "domain_forbidden")):
        with pytest.raises(Fault, match=code):
            await shown(database, desk, reader, case.case_number)
    assessed = await office.assess(case, agent, needs_visit=True)
    await office.tell_assigned(assessed, ENGINEER)
    seen = await shown(database, desk, engineer, case.case_number)
    assert (seen.handler, seen.subject, seen.description) == (ENGINEER, "宽带断网", "")


async def test_lists_are_paged_newest_first_within_the_domain(
    database: Database, office, a_request, app: Principal, agent: Principal
) -> None:
    numbers = [(await office.open(a_request(phone=f"1390000{n:04}"), app)).case.case_number for n in range(5)]
    await office.open(a_request(phone="13911110000", region="cn.gd.sz.nanshan"), app)
    pages, last = [], None
    async with database.transaction("read") as tx:
        while page := await queries.list_cases(tx, agent, Filters(), before=last, limit=2):
            pages.append([case.case_number for case in page])
            last = page[-1].case_id
    assert [number for page in pages for number in page] == numbers[::-1]
    assert [len(page) for page in pages] == [2, 2, 1]


async def test_lists_are_filtered(database: Database, office, case, a_request, app: Principal) -> None:
    await office.open(a_request(kind="inquiry", region="cn.gd.sz.nanshan"), app)
    for filters, count in (
        (Filters(), 2),
        (Filters(stage=Stage.ACCEPTED), 2),
        (Filters(stage=Stage.CLOSED), 0),
        (Filters(customer_id=case.customer_id), 2),
        (Filters(customer_id=uuid4()), 0),
        (Filters(region="cn.gd.gz"), 1),
        (Filters(region="cn.gd"), 2),
        (Filters(responsible="duty.gz"), 1),
        (Filters(kind="inquiry"), 1),
    ):
        async with database.transaction("read") as tx:
            cases = await queries.list_cases(tx, app, filters, before=None, limit=9)
        assert len(cases) == count, filters


async def test_a_customer_lists_their_own(database: Database, office, case, a_request, app: Principal) -> None:
    await office.open(a_request(phone="13911110000"), app)
    myself = Principal("sub", frozenset({"customer"}), customer_id=str(case.customer_id))
    nobody = Principal("sub", frozenset({"customer"}))
    async with database.transaction("read") as tx:
        mine = await queries.list_cases(tx, myself, Filters(), before=None, limit=9)
        none = await queries.list_cases(tx, nobody, Filters(), before=None, limit=9)
    assert [each.case_id for each in mine] == [case.case_id]
    assert none == []


async def progress(office, case, language: str) -> cases_pb2.Progress:
    now = await office.case(case.case_id)
    async with office.database.transaction("read") as tx:
        clocks = (await deadlines.of(tx, [str(case.case_id)]))[str(case.case_id)]
        return describe(now, clocks, await queries.history_of(tx, now), language, office.desk.standards)


async def test_int10_progress_tells_stage_promise_and_next_step(office, case, agent: Principal) -> None:
    told = await progress(office, case, "en")
    # Accepted at nine in China; a fault is answered within four hours.
    assert (told.stage_text, told.responsible) == ("Accepted", "Your service agent")
    assert told.promise_text == "We will have looked into it by 2026-03-02 13:00."
    assert told.promised_by.ToJsonString() == "2026-03-02T05:00:00Z"
    assessed = await office.assess(case, agent, needs_visit=True)
    await office.tell_assigned(assessed, ENGINEER)
    told = await progress(office, case, "zh-CN")
    assert (told.stage_text, told.responsible) == ("已分派", "陈工")
    assert "陈工" in told.promise_text
    stages = [cases_pb2.CaseStage.Name(visit.stage) for visit in told.stages]
    assert stages == ["CASE_STAGE_ACCEPTED", "CASE_STAGE_ASSESSED", "CASE_STAGE_ASSIGNED"]
    assert not told.stages[-1].HasField("left_at")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_int10_every_situation_has_its_words(
    office, case, agent: Principal, language: str, manual_clock: ManualClock
) -> None:
    notices = office.desk.standards.stages.notices
    request = cases_pb2.PauseCaseRequest(case=case.case_number, reason="账号？")
    await office.change(handling.pause_case, agent, request)
    told = await progress(office, case, language)
    assert told.promise_text == notices["waiting_for_customer"].promise[language]
    assert not told.HasField("promised_by")
    await office.change(handling.resume_case, agent, cases_pb2.ResumeCaseRequest(case=case.case_number))
    assessed = await office.assess(case, agent, needs_visit=True)
    await office.tell(dispatch_events.WorkOrderFailed(**office.ids(assessed)), version=2)
    manual_clock.advance(timedelta(hours=1))
    told = await progress(office, case, language)
    assert told.next_text == notices["reopened"].next[language]
