"""A complaint about an agent's manners: the agent does not handle it, and learns from it (CMP-04, TRN-07)."""

from __future__ import annotations

import pytest
from acting import Cast, Place
from complaining import HANDLER, Grievance

pytestmark = pytest.mark.e2e

PLACE = Place("cn.sc.cd.jinjiang", "tv_service")


def test_the_person_concerned_is_assigned_training(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "客服态度恶劣", "工号 12 不耐烦，挂断电话。")
    assert grievance.look()["proposed"]["complaint_class"] == "service_attitude"
    grievance.classify("service_attitude", "minor", person_concerned="agent2")
    (command,) = platform.eventually(
        lambda: [asked for asked in grievance.messages(commands=True) if "assign_training" in asked["subject"]],
        "nobody asked for training",
    )
    assert command["subject"] == "bihuan.training.commands.assign_training"
    wanted = command["data"]
    assert (wanted["person"], wanted["course_topic"]) == ("agent2", "etiquette")
    assert (wanted["reason"], wanted["source_id"]) == ("complaint_service_attitude", grievance.complaint_id)
    grievance.handle("已向您致歉，并安排当事人培训。")
    grievance.step(HANDLER, "answer", answer="RESULT_ANSWER_NONE")
    grievance.learn("poor_manners", people=["agent2"])
    archived = grievance.close()
    assert archived["outcome"] == "COMPLAINT_OUTCOME_UNANSWERED"
    assert grievance.record()["complete"] is True
    platform.assert_nothing_fell_out()


def test_nobody_handles_a_complaint_about_themselves(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "投诉处理员推诿")
    grievance.classify("service_attitude", "minor", person_concerned=HANDLER)
    assert grievance.refused(HANDLER, "start") == "complaint_about_handler"
    grievance.step("supervisor", "start")
    grievance.step("channel-web", "withdraw", reason="不再追究")
    assert grievance.until_archived()["outcome"] == "COMPLAINT_OUTCOME_WITHDRAWN"
    platform.assert_nothing_fell_out()
