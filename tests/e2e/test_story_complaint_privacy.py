"""A complaint about leaked personal data is major: a leader is named and told at once (CMP-03)."""

from __future__ import annotations

import pytest
from acting import SUPERVISOR, Cast, Place
from complaining import Grievance, stage_of

pytestmark = pytest.mark.e2e

PLACE = Place("cn.sc.cd", "voice_line")


def test_management_is_alerted_at_once_and_a_leader_answers_for_it(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "个人信息被泄露", "我的身份证号被公开。")
    registered = grievance.look()
    assert registered["proposed"]["severity"] == "major"
    assert (registered["leader"], registered["priority"]) == (SUPERVISOR, 1)
    assert grievance.clocks()["complaint_major"] == "running"
    platform.eventually(lambda: "complaints.complaint.major_alerted.v1" in grievance.events(), "nobody was alerted")
    grievance.classify("service_quality", "major")
    assert grievance.events().count("complaints.complaint.major_alerted.v1") == 1, "once is enough"
    grievance.step(SUPERVISOR, "takeLead")
    assert grievance.clocks()["complaint_major"] == "met"
    grievance.handle("已封堵泄露渠道并通知监管机构。")
    grievance.step("channel-web", "answer", answer="RESULT_ANSWER_ACCEPTED", score=3)
    grievance.learn("data_disclosed")
    assert stage_of(grievance.close()) == "archived"
    platform.assert_nothing_fell_out()


def test_a_remedy_beyond_the_handlers_limit_is_for_the_leader(platform) -> None:
    """CMP-04: limits by role."""
    grievance = Grievance.by_web(Cast(platform, PLACE), "乱扣费", "多收了违约金。")
    grievance.classify("other", "medium")
    grievance.step("complaint", "start")
    refusal = grievance.cast.ask(
        "complaint", f"/v1/complaints/{grievance.complaint_id}/remedies", {"kind": "refund", "amount": 501}
    )
    assert (refusal.status_code, refusal.json()["code"]) == (409, "remedy_over_limit")
    grievance.add(SUPERVISOR, "remedies", kind="refund", amount=501)
    grievance.finish("已退费。")
    grievance.step("channel-web", "answer", answer="RESULT_ANSWER_ACCEPTED", score=4)
    grievance.learn("wrong_billing")
    grievance.close()
    platform.assert_nothing_fell_out()
