"""Calls at the hotline, page by page (GWY-02, INT-08, INT-10, INT-12, INT-19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bihuan.common.v1.common_pb2 import IDENTITY_CHECK_CALLER_NUMBER, IDENTITY_CHECK_NONE
from bihuan.intake.v1 import cases_pb2
from hotlinedesk import VXML, Desk, Line, said, transfer_of
from servicekit.errors import Fault

PHONE = "+8613800138000"
CALLER = f"sip:{PHONE}@carrier.example;user=phone"


@pytest.fixture
def intake(desk: tuple[Desk, str]) -> Desk:
    return desk[0]


def opened(intake: Desk) -> cases_pb2.OpenCaseRequest:
    (request,) = (each for each in intake.requests if isinstance(each, cases_pb2.OpenCaseRequest))
    return request


async def test_a_known_caller_reports_a_fault(line: Line, intake: Desk) -> None:
    """Recognised by number, so that neither name nor area is asked for; the number is read digit by digit."""
    customer = intake.customer(PHONE)
    page = await line.dial(CALLER, "1", "1", "1", "1")
    assert "宽带断网" in said(page)
    assert "天河区" in said(page)
    page = await line.press("1")
    request = opened(intake)
    assert (request.caller.customer_id, request.caller.phone) == (customer.customer_id, "")
    assert request.caller.identity_check == IDENTITY_CHECK_CALLER_NUMBER
    assert (request.channel, request.kind, request.category) == ("ivr", "fault_repair", "internet_access")
    assert (request.region, request.language) == ("cn.gd.gz.tianhe", "zh-CN")
    number = [each.text for each in page.iter(f"{VXML}say-as") if each.get("interpret-as") == "vxml:digits"]
    assert "-".join(map(str, number)) == intake.cases[0].case_number
    assert [each.text for each in page.iter(f"{VXML}say-as")][-2:] == ["20260303", "0805h"], "what is promised by when"


async def test_int19_a_stranger_agrees_first_and_says_where(line: Line, intake: Desk) -> None:
    page = await line.dial("tel:+86-139-0013-9000", "2", "1")
    assert "not registered yet" in said(page)
    page = await line.press("1", "1", "2")
    assert "Where is the service?" in said(page)
    page = await line.press("1", "2", "1")
    assert "Area: Nanshan" in said(page)
    await line.press("1")
    request = opened(intake)
    assert (request.caller.phone, request.caller.identity_check) == ("+8613900139000", IDENTITY_CHECK_NONE)
    assert (request.region, request.subject) == (
        "cn.gd.sz.nanshan",
        "the internet connection drops again and again",
    )
    assert "agreed by key 1" in request.description
    assert "en" in intake.languages


async def test_int19_who_does_not_agree_leaves_nothing_behind(line: Line, intake: Desk, manual_clock) -> None:
    page = await line.dial(CALLER, "1", "1", "2")
    assert "没有登记您的任何信息" in said(page)
    manual_clock.advance(timedelta(hours=12))
    page = await line.press("0")
    assert "请稍后再次来电" in said(page)
    assert not intake.cases
    assert not intake.customers


async def test_a_page_sent_twice_opens_one_case(line: Line, intake: Desk) -> None:
    intake.customer(PHONE)
    await line.dial(CALLER, "1", "1", "1", "1")
    confirmation = {"state": line.state, "key": "1"}
    first = said(await line.fetch("/hotline/keys", confirmation))
    assert said(await line.fetch("/hotline/keys", confirmation)) == first
    assert len(intake.cases) == 1
    await line.press("9", "1", "1", "2", "1")
    assert len(intake.cases) == 2, "another report in the same call is another case"


async def test_the_area_can_be_corrected_and_the_report_begun_again(line: Line, intake: Desk) -> None:
    intake.customer(PHONE)
    await line.dial(CALLER, "1", "1", "1", "1")
    page = await line.press("3", "2", "1")
    assert "武侯区" in said(page), "where there is only one city, its districts are asked for at once"
    page = await line.press("2", "2", "1", "1")
    assert opened(intake).category == "mobile"
    assert opened(intake).region == "cn.sc.cd.wuhou"


async def test_int10_progress_of_the_latest_case_and_of_one_by_number(line: Line, intake: Desk) -> None:
    customer = intake.customer(PHONE)
    older = intake.case(customer.customer_id, subject="电视黑屏")
    intake.case(customer.customer_id, subject="宽带断网")
    page = await line.dial(CALLER, "1", "2", "1")
    assert "宽带断网" in said(page)
    assert "陈工" in said(page)
    page = await line.press("9", "2", "2", older.case_number.replace("-", ""))
    assert "电视黑屏" in said(page)
    assert said(await line.press("*")) == said(page), "star repeats"


async def test_a_wrong_and_a_foreign_number_tell_nothing_and_the_third_time_an_agent_takes_over(
    line: Line, intake: Desk
) -> None:
    intake.case(intake.customer(PHONE).customer_id)
    foreign = intake.case(intake.customer("+8613900139000").customer_id, subject="秘密")
    page = await line.dial(CALLER, "1", "2", "2", "261100000018")
    assert "编号有误" in said(page)
    assert not any(isinstance(each, cases_pb2.GetCaseRequest) for each in intake.requests), "the check digit was wrong"
    page = await line.press(foreign.case_number.replace("-", ""))
    assert "没有这个编号" in said(page)
    assert "秘密" not in said(page)
    page = await line.press("261199999996")
    assert transfer_of(page) is not None


async def test_int12_one_answer_to_the_survey(line: Line, intake: Desk) -> None:
    customer = intake.customer(PHONE)
    rated = intake.case(customer.customer_id, "DELIVERED")
    intake.case(customer.customer_id, "ACCEPTED")
    await line.dial(CALLER, "1", "3")
    answer = {"state": line.state, "key": "5"}
    assert "已收到您的评分" in said(await line.fetch("/hotline/keys", answer))
    assert rated.satisfaction == 5
    assert "以第一次为准" in said(await line.fetch("/hotline/keys", answer | {"key": "5"}))
    assert "没有等待您评分" in said(await line.press("3"))


async def test_int08_an_agent_learns_what_the_call_was_about(line: Line, intake: Desk) -> None:
    case = intake.case(intake.customer(PHONE).customer_id)
    page = await line.dial(CALLER, "2", "0")
    transfer = transfer_of(page)
    assert transfer is not None
    assert transfer.attrib["dest"] == "sip:agents@example.com"
    assert transfer.attrib["aai"] == f"reason=key;language=en;case={case.case_number}"
    assert transfer.attrib["connecttimeout"] == "30s", "INT-06: an agent answers within 30 seconds"
    (contact,) = intake.contacts.values()
    assert (contact.case, contact.inbound, contact.channel) == (case.case_number, True, "ivr")
    page = await line.fetch("/hotline/transferred", {"state": line.state, "outcome": "far_end_disconnect"})
    assert "Goodbye" in said(page)


async def test_int08_nobody_answers_so_the_customer_is_called_back(line: Line, intake: Desk) -> None:
    case = intake.case(intake.customer(PHONE).customer_id)
    await line.dial(CALLER, "1", "0")
    unanswered = {"state": line.state, "outcome": "noanswer"}
    for _ in range(2):
        page = await line.fetch("/hotline/transferred", unanswered)
    assert "目前坐席全忙" in said(page)
    assert [contact.case for contact in intake.contacts.values()] == [case.case_number] * 2, "the call, the call-back"
    assert "请回电" in list(intake.contacts.values())[-1].text


async def test_int08_out_of_hours_a_wish_to_be_called_is_a_case_of_its_own(
    line: Line, intake: Desk, manual_clock
) -> None:
    customer = intake.customer(PHONE)
    intake.case(customer.customer_id, "ARCHIVED")
    manual_clock.advance(timedelta(hours=9))
    page = await line.dial(CALLER, "1", "0")
    assert transfer_of(page) is None
    assert "人工服务时间是0900h到1800h" in said(page)
    assert (opened(intake).kind, opened(intake).subject) == ("inquiry", "请求人工回电")
    assert opened(intake).region == customer.region


async def test_int08_a_wish_to_be_called_sent_twice_is_one_case_without_a_note(
    line: Line, intake: Desk, manual_clock
) -> None:
    intake.customer(PHONE)
    manual_clock.advance(timedelta(hours=9))
    await line.dial(CALLER, "1")
    wish = {"state": line.state, "key": "0"}
    first = said(await line.fetch("/hotline/keys", wish))
    assert said(await line.fetch("/hotline/keys", wish)) == first
    assert len(intake.cases) == 1
    assert intake.contacts == {}
    await line.dial(CALLER, "1", "0")
    assert len(intake.cases) == 1, "another call finds the case"
    assert [contact.case for contact in intake.contacts.values()] == [intake.cases[0].case_number]


async def test_int08_a_case_opened_in_the_call_takes_the_wish_to_be_called(
    line: Line, intake: Desk, manual_clock
) -> None:
    intake.customer(PHONE)
    manual_clock.advance(timedelta(hours=9))
    await line.dial(CALLER, "1", "1", "1", "1", "1", "0")
    assert [contact.case for contact in intake.contacts.values()] == [intake.cases[0].case_number]
    assert len(intake.cases) == 1


@pytest.mark.parametrize("caller", ["", "sip:anonymous@anonymous.invalid", "tel:unavailable"])
async def test_a_withheld_number_is_for_an_agent(line: Line, intake: Desk, caller: str) -> None:
    page = await line.dial(caller, "1", "1")
    assert transfer_of(page) is not None
    assert not intake.requests


async def test_two_customers_share_a_number(line: Line, intake: Desk) -> None:
    intake.customer(PHONE, "王**")
    second = intake.customer(PHONE, "", "cn.sc.cd")
    page = await line.dial(CALLER, "1")
    assert "王，天河区，请按1" in said(page)
    assert "未登记姓名的客户，成都，请按2" in said(page)
    assert said(page) in said(await line.press("9")), "there is no menu before it is known who calls"
    await line.press("2", "1", "1", "1", "1")
    assert opened(intake).caller.customer_id == second.customer_id


@pytest.mark.parametrize("reason", ["silence", "mismatch", "anything"])
async def test_who_does_not_come_to_terms_with_keys_gets_an_agent(line: Line, intake: Desk, reason: str) -> None:
    await line.dial(CALLER, "1")
    page = await line.fetch("/hotline/agent", {"state": line.state, "reason": reason})
    transfer = transfer_of(page)
    assert transfer is not None
    assert transfer.attrib["aai"].startswith("reason=silence" if reason == "silence" else "reason=mismatch")


@pytest.mark.parametrize("failure", [Fault("unavailable"), RuntimeError("a defect")])
async def test_an_apology_and_an_agent_when_intake_fails(line: Line, intake: Desk, failure: Exception) -> None:
    intake.customer(PHONE)
    await line.dial(CALLER, "2", "1", "1", "1")
    intake.away = failure
    page = await line.press("1")
    assert "We are very sorry" in said(page, "trouble")
    assert transfer_of(page, "trouble") is not None
    page = await line.fetch("/hotline/start", {"caller": CALLER})
    assert "非常抱歉" in said(page, "trouble"), "before a language is chosen, in both"
    assert "We are very sorry" in said(page, "trouble")


async def test_the_number_is_told_even_when_the_promise_can_not_be(line: Line, intake: Desk) -> None:
    intake.customer(PHONE)
    await line.dial(CALLER, "1", "1", "1", "1")

    async def away(*_: object) -> None:
        raise Fault("unavailable")

    intake.GetProgress = away  # type: ignore[method-assign,assignment]
    assert "已为您受理" in said(await line.press("1"))


async def test_nothing_that_a_customer_wrote_becomes_markup(line: Line, intake: Desk) -> None:
    hostile = "</prompt><disconnect/>&\"'<transfer dest='tel:1'/>\x08😀]]>"
    customer = intake.customer(PHONE, hostile[:20])
    intake.case(customer.customer_id, "DELIVERED", hostile)
    for keys in (("2", "1"), ("3",)):
        page = await line.dial(CALLER, "1", *keys)
        assert "<disconnect/>" in said(page)
        assert transfer_of(page) is None


async def test_a_platform_without_session_variables_names_the_caller_itself(line: Line, intake: Desk) -> None:
    intake.customer(PHONE)
    await line.fetch("/hotline?caller=%2B8613800138000")
    assert "天河区" in said(await line.press("1", "1", "1", "1"))
