"""A question on the hotline: whoever takes the call owns it and answers it; nobody is sent out (INT-02, INT-08)."""

from __future__ import annotations

import pytest
from acting import HOTLINE, SUPERVISOR, Cast, Place, Story, clocks_of, new_phone

pytestmark = pytest.mark.e2e

REGION = "cn.gd.sz.futian"


@pytest.fixture
def desk(platform) -> Cast:
    """No engineer is needed, so the place may be anybody's."""
    return Cast(platform, Place(REGION, "broadband_repair"))


@pytest.fixture
def story(desk: Cast) -> Story:
    """Somebody who is not known yet calls the hotline, and the agent writes down the question."""
    question = {
        "channel": "hotline",
        "caller": {"name": "Ms Li", "phone": new_phone(), "identity_check": "IDENTITY_CHECK_CALLER_NUMBER"},
        "region": REGION,
        "subject": "How much is the roaming package?",
        "description": "Could you tell me what is included?",
        "language": "en",
    }
    return desk.story(desk.do(HOTLINE, "/v1/cases", question)["case"]["case_id"])


def test_a_question_is_answered_at_the_desk(platform, story: Story) -> None:
    opened = story.look()
    assert opened["classification"]["kind"] == "inquiry"
    assert (opened["owner"], opened["identity_check"]) == (HOTLINE, "IDENTITY_CHECK_CALLER_NUMBER")
    assert set(clocks_of(opened)) == {"ordinary_response", "assessment"}
    story.assess(visit=False, user=HOTLINE, category="mobile")
    assert story.look()["handler"] == HOTLINE
    story.step(HOTLINE, "startHandling")
    story.step(HOTLINE, "deliver", result="Data, voice and 30 messages; it can be ended any day.")
    assert story.look()["work_order_id"] == ""
    story.finish()
    assert story.look()["result"].startswith("Data, voice")
    assert not [subject for subject in story.events() if subject.startswith("dispatch.")]
    platform.assert_nothing_fell_out()


def test_int12_a_low_score_is_followed_up_by_a_supervisor(platform, story: Story) -> None:
    story.assess(visit=False, user=HOTLINE)
    story.step(HOTLINE, "startHandling")
    delivered = story.step(HOTLINE, "deliver", result="Please look at our website.")
    story.rate(1, "That is no answer")
    assert story.look()["priority"] == delivered["priority"] - 1
    story.confirm()
    path, note = f"/v1/cases/{story.case_id}:followUp", {"note": "called back", "reached": True}
    refused = story.cast.ask(HOTLINE, path, note)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_forbidden")
    story.follow_up(SUPERVISOR)
    story.until("archived")
    assert SUPERVISOR in story.record()["staff"]
    platform.assert_nothing_fell_out()
