"""A case that turns out to be a complaint is handed to complaints and waits for its result (INT-02)."""

from __future__ import annotations

import pytest
from acting import DESK, Cast, Place
from complaining import HANDLER, Grievance, stage_of

pytestmark = pytest.mark.e2e

PLACE = Place("cn.gd.sz.futian", "tv_service")
CLASSIFICATION = {"kind": "complaint", "category": "internet_access", "urgency": "normal"}


def _handed_over(cast: Cast) -> tuple:
    story = cast.report(subject="投诉宽带反复断网", description="第三次断网，要求赔偿。")
    story.step(DESK, "assess", classification=CLASSIFICATION, hand_to_complaints=True)
    case = story.look()
    assert (case["stage"], case["handler"]) == ("CASE_STAGE_HANDLING", "complaints")
    path = f"/v1/complaints/{case['complaint_id']}"
    cast.platform.eventually(lambda: cast.ask(HANDLER, path).is_success, "never registered")
    return story, Grievance(cast, case["complaint_id"])


def test_the_case_waits_for_the_complaint_and_is_delivered_with_its_result(platform) -> None:
    story, grievance = _handed_over(Cast(platform, PLACE))
    registered = grievance.look()
    assert (registered["case_number"], registered["owner"]) == (story.number, story.look()["owner"])
    assert registered["proposed"]["complaint_class"] == "technical_problem", "proposed from keywords, without the words"
    assert registered["subject"] == ""
    assert story.progress()["promised_by"] is not None
    grievance.classify("technical_problem", "medium")
    grievance.handle("已更换线路。")
    assert story.until("delivered")["result"] == "已更换线路。"
    grievance.step(HANDLER, "answer", answer="RESULT_ANSWER_REJECTED", score=2)
    story.until("handling")
    grievance.finish("已更换线路并退费。")
    story.until("delivered")
    grievance.step(HANDLER, "answer", answer="RESULT_ANSWER_ACCEPTED", score=4)
    story.confirm()
    story.follow_up(DESK)
    story.until("archived")
    grievance.learn("line_ageing", case_ids=[story.case_id])
    assert stage_of(grievance.close()) == "archived"
    assert story.record()["record_class"] == "service_case"
    assert grievance.record()["complete"] is True
    platform.assert_nothing_fell_out()


def test_a_withdrawn_case_takes_its_complaint_along(platform) -> None:
    story, grievance = _handed_over(Cast(platform, PLACE))
    story.step(DESK, "withdraw", reason="客户撤回")
    assert grievance.until_archived()["outcome"] == "COMPLAINT_OUTCOME_WITHDRAWN"
    story.until("archived")
    platform.assert_nothing_fell_out()


def test_a_withdrawn_complaint_takes_its_case_along(platform) -> None:
    story, grievance = _handed_over(Cast(platform, PLACE))
    grievance.step(HANDLER, "withdraw", reason="客户撤回")
    assert story.until("archived")["outcome"] == "CASE_OUTCOME_WITHDRAWN"
    grievance.until_archived()
    platform.assert_nothing_fell_out()
