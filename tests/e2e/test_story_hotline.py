"""Calls to the hotline, from the first key to the closed loop (GWY-02, INT-06, INT-10, INT-12)."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from acting import ONLOOKER, Cast, Story
from telephoning import SILENCE, call, spoken

from standards import load

pytestmark = pytest.mark.e2e

MENU = "9"
HOSTILE = "</prompt><disconnect/> & 'x' <transfer dest='tel:1'/>"


@pytest.fixture
def number() -> str:
    """A mobile number that nobody has called from yet, as it is dialled inside China."""
    return f"139{uuid4().int % 10**8:08d}"


def cases_of(cast: Cast, number: str) -> list[Story]:
    """The cases of whoever is recognised by this number, newest first."""
    found = cast.do("duty", "/v1/customers:find", {"phone": number})["customers"]
    listed = [cast.get(ONLOOKER, f"/v1/cases?customer_id={each['customer_id']}")["cases"] for each in found]
    return [cast.story(case["case_id"]) for cases in listed for case in cases]


def test_a_stranger_reports_a_fault_and_hears_and_rates_what_became_of_it(cast: Cast, number: str) -> None:
    # 普通话, report, agree, broadband, cut off, Sichuan → Wuhou, send; then progress in the same call.
    first = call(cast.platform, number, "1", "1", "1", "1", "1", "2", "1", "1", MENU, "2", "1")
    (story,) = cases_of(cast, number)
    case = story.look()
    assert (case["channel"], case["region"]) == ("ivr", "cn.sc.cd.wuhou")
    assert case["proposed"]["classification"] == {
        "kind": "fault_repair",
        "category": "internet_access",
        "urgency": "high",
    }
    assert first.text.count(spoken(story.number)) == 2, "when it was opened, and when it was asked for"
    assert "已受理" in first.text

    story.assess(visit=False)
    story.step("duty", "startHandling")
    story.step("duty", "deliver", result="已远程修复线路配置。")

    # The same person, whose number the network now tells with its country code, rates it; in English this time.
    second = call(
        cast.platform, f"+86{number}", "2", "2", "2", f"{story.number.replace('-', '')}#", MENU, "3", "5", "3"
    )
    assert "Result delivered" in second.text
    assert "We have your rating" in second.text
    assert "There is nothing to rate" in second.text
    assert story.look()["satisfaction"] == 5
    assert len(cases_of(cast, f"0086{number}")) == 1
    story.finish()
    cast.platform.assert_nothing_fell_out()


def test_int06_the_caller_hears_the_first_word_in_time(cast: Cast, number: str) -> None:
    limit = load().clocks["voice_response"].limit.total_seconds()

    # A machine that has other things to do at the moment is none of the hotline's doing: then somebody calls again.
    def three_calls_in_time() -> bool:
        return all(call(cast.platform, number).first_word_seconds < limit for _ in range(3))

    cast.platform.eventually(three_calls_in_time, "nobody answered three calls in time")


def test_a_known_caller_with_wrong_keys_silence_and_a_foreign_number_ends_with_an_agent(
    cast: Cast, number: str
) -> None:
    foreign = cast.report()
    mine = cast.report(
        caller={"name": "李娜", "phone": number, "identity_check": "IDENTITY_CHECK_TOKEN"},
        subject=HOSTILE,
        kind="inquiry",
    )
    told = call(cast.platform, number, "1", "2", "1", MENU, "2", "2", f"{foreign.number.replace('-', '')}#", "12345#")
    assert "<disconnect/> & 'x'" in told.text, "what somebody wrote is read, not obeyed"
    assert spoken(mine.number) in told.text
    assert spoken(foreign.number) not in told.text
    assert "没有这个编号" in told.text
    assert "这个按键现在不能用" in told.text

    # Noise, silence, noise, silence, silence: three silences are enough.
    lost = call(cast.platform, number, "1", "7", SILENCE, "##", SILENCE, SILENCE, agent="noanswer")
    assert "我没有听到您的按键" in lost.text
    assert spoken(mine.number) in lost.text, "the case on which a call-back is noted, in shop hours and after"
    happened = mine.happened()
    assert happened.count("interaction_added") == 1 + len(lost.connected)
    mine.step("duty", "withdraw", reason="演练结束")
    foreign.step("duty", "withdraw", reason="演练结束")
    cast.platform.assert_nothing_fell_out()


def test_the_caller_hears_an_apology_while_intake_is_away(cast: Cast, number: str) -> None:
    cast.platform.stop("intake")
    try:
        for caller in (number, ""):
            heard = call(cast.platform, caller, "2", "1")
            assert ("We are very sorry" in heard.text) == bool(caller), "who is not looked for is greeted as ever"
    finally:
        cast.platform.start("intake")
    assert "Welcome" in call(cast.platform, number).text
    cast.platform.assert_nothing_fell_out()


def test_a_signed_in_customer_of_a_fresh_platform_can_open_a_case(cast: Cast) -> None:
    """The demo's own customer, whom intake has never seen."""
    story = cast.story(cast.do("customer", "/v1/cases", cast.request())["case"]["case_id"])
    assert cast.ask("customer", f"/v1/cases/{story.number}").status_code == httpx.codes.OK
    story.step("customer", "withdraw", reason="演练结束")
    cast.platform.assert_nothing_fell_out()
