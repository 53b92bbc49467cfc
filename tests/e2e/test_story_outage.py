"""Forty customers of one district lose their service at once: one incident, told once, closed with it (INT-15, DSP-06,
DSP-07)."""

from __future__ import annotations

import pytest
from acting import DESK, SUPERVISOR, Cast
from alarming import (
    Outage,
    alarm,
    all_at_once,
    all_report,
    incidents_of,
    state_of,
    told,
    until_incident,
)

pytestmark = pytest.mark.e2e

CUSTOMERS = 40


def test_forty_reports_become_one_incident_that_climbs_and_closes_them_all(platform, cast: Cast) -> None:
    before = {each["incident_id"] for each in incidents_of(cast, cast.place.region)}
    cast.engineer()
    visited = cast.report()
    visited.assess(visit=True)
    visited.until_order("assigned")
    elsewhere = cast.report(category="mobile")
    concerned = {*all_report(cast, CUSTOMERS), visited.case_id}
    _kill(platform, "intake")  # among the cases that follow
    outage = until_incident(cast, cast.story(min(concerned)))
    outage.until_attached(concerned)
    assert len({each["incident_id"] for each in incidents_of(cast, cast.place.region)} - before) == 1
    assert outage.look()["level"] == 3
    assert "repairing it for everybody" in visited.progress()["promise_text"]
    assert "统一抢修" in visited.progress(language="zh-CN")["promise_text"]
    platform.assert_nothing_fell_out()
    assert visited.look()["work_order_id"] == "", "nobody drives there for it"
    _let_climb(platform, outage)
    outage.repair("已更换 OLT 主控板")
    _kill(platform, "dispatch")  # with the news just committed
    stories = [cast.story(case_id) for case_id in sorted(concerned)]
    stories[0].until("delivered")  # until intake hears of the repair, whoever reports the fault waits for it
    late = cast.report()
    for story in stories:
        assert story.until("delivered")["result"].endswith("已更换 OLT 主控板")
    alone = stories.pop()
    alone.confirm(solved=False)
    assert (alone.look()["stage"], alone.look()["incident_id"]) == ("CASE_STAGE_ACCEPTED", "")
    platform.advance("1d")
    all_at_once(lambda story: story.until("confirmed"), stories)
    all_at_once(lambda story: story.follow_up(), stories)
    all_at_once(lambda story: story.until("archived"), stories)
    outage.step(SUPERVISOR, "close", lessons="主控板改为双电源")
    assert {tuple(told(story)) for story in [*stories, alone]} == {("outage", "outage_over")}
    for story in (late, elsewhere):
        assert (story.look()["incident_id"], told(story)) == ("", [])
    for story in (alone, late, elsewhere):
        story.step(DESK, "withdraw", reason="客户撤回")
        story.until("archived")
    platform.assert_nothing_fell_out(wait=60)


def _let_climb(platform, outage: Outage) -> None:
    """Nobody answers: 2 h, 1 h and 15 min, each level by itself (DSP-06)."""
    commander = outage.look()["commander"]
    platform.advance("2h")
    outage.until_level(2)
    platform.advance("1h")
    outage.until_level(1)
    platform.advance("15m")
    platform.eventually(
        lambda: outage.history()[-1]["happened"] == "ladder_exhausted", "the highest level was never missed"
    )
    levels, commanders = zip(*outage.escalations(), strict=True)
    assert levels == ("2", "1")
    assert commanders[-1] == SUPERVISOR != commander
    assert state_of(outage.look()) == "reported"


def _kill(platform, service: str) -> None:
    """SIGKILL in the middle; what it had promised, its next life does, once."""
    platform.kill(service)
    platform.until_healthy(service)


def test_an_alarm_takes_reports_along_until_it_proves_false(platform, cast: Cast) -> None:
    reported = cast.report()
    raised = alarm(cast, "Critical", name=f"false-{cast.place.region}-{cast.place.skill}")
    outage = Outage(cast, raised["incident_id"])
    seen = outage.look()
    assert (seen["level"], seen["kind"], seen["source"]) == (1, "equipment", "alarm")
    again = alarm(cast, "Critical", name=raised["external_alarm_id"], alarm_raised_time=raised["alarm_raised_time"])
    assert (again["alarm_id"], again["incident_id"]) == (raised["alarm_id"], outage.incident_id)
    later = cast.report()
    outage.until_attached({reported.case_id, later.case_id})
    outage.step(SUPERVISOR, "dismiss", reason="测试告警")
    for story in (reported, later):
        story.until("accepted")
        assert told(story) == ["outage", "outage_dismissed"]
        story.step(DESK, "withdraw", reason="客户撤回")
        story.until("archived")
    assert cast.ask("channel-app", "/v1/alarms:report", {}).status_code == 403
    platform.assert_nothing_fell_out()
