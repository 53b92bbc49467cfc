"""The same customer reports the same problem again: it joins the open case, or is linked to the closed one (INT-14)."""

from __future__ import annotations

import pytest
from acting import APP, HOTLINE, Cast, Place, Story

pytestmark = pytest.mark.e2e


@pytest.fixture
def story(platform) -> Story:
    """A fault that is open, in a region where the hotline works too."""
    return Cast(platform, Place("cn.gd.gz.haizhu", "broadband_repair")).report()


def test_int14_a_second_report_joins_the_open_case_on_any_channel(platform, story: Story) -> None:
    customer = story.look()["customer_id"]
    again = story.cast.request(subject="宽带还是上不了网", caller={"customer_id": customer})
    for user, channel in ((APP, "app"), (HOTLINE, "hotline")):
        answer = story.cast.ask(user, "/v1/cases", {**again, "channel": channel})
        assert answer.status_code == 200, answer.text
        assert answer.json()["joined"] is True
        assert answer.json()["case"]["case_id"] == story.case_id
    assert story.happened() == ["case_opened", "report_joined", "report_joined"]
    story.assess(visit=False)
    other = story.cast.ask(
        APP, "/v1/cases", story.cast.request(subject="请问套餐多少钱", description="", caller={"customer_id": customer})
    )
    assert other.status_code == 201, "another problem is another case"
    platform.assert_nothing_fell_out()


def test_int14_a_repeat_after_closing_is_linked_and_begins_more_important(platform, story: Story) -> None:
    first = story.look()
    story.assess(visit=False)
    story.step("duty", "startHandling")
    story.step("duty", "deliver", result="已远程重启光猫")
    story.finish()
    repeat = story.cast.report(caller={"customer_id": first["customer_id"]}).look()
    assert repeat["case_id"] != first["case_id"]
    assert repeat["repeat_of"] == first["case_id"]
    assert repeat["priority"] == first["priority"] - 1
    platform.assert_nothing_fell_out()
