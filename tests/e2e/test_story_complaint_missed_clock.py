"""Nobody classifies the complaint in time: the region's supervisor is told, and the complaint matters more (CMP-01)."""

from __future__ import annotations

import pytest
from acting import SUPERVISOR, Cast, Place
from complaining import Grievance

pytestmark = pytest.mark.e2e

PLACE = Place("cn.gd", "mobile_network")


def test_a_missed_clock_escalates(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "服务质量差", "没有上门。")
    before = grievance.look()["priority"]
    platform.advance("49h")
    grievance.until(lambda complaint: complaint["priority"] < before, "nobody escalated")
    platform.eventually(lambda: "complaint_escalated" in grievance.history(), "the history does not tell")
    for name in ("complaint_classification", "complaint_start"):
        platform.eventually(lambda name=name: grievance.clocks()[name] == "missed", f"{name} was not missed")
    escalated = platform.eventually(
        lambda: [told for told in grievance.messages() if told["subject"].endswith("complaint.escalated.v1")],
        "it was not told on the bus",
    )
    assert {message["data"]["escalated_to"] for message in escalated} == {SUPERVISOR}
    grievance.classify("service_quality", "minor")
    grievance.handle("已致歉并安排上门。")
    grievance.step("channel-web", "answer", answer="RESULT_ANSWER_ACCEPTED", score=3)
    grievance.learn("lacking_skill")
    grievance.close()
    platform.assert_nothing_fell_out()
