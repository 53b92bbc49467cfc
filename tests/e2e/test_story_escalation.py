"""Nobody looks at a fault: warned at half and at four fifths of the time, escalated when it is over (INT-07)."""

from __future__ import annotations

import pytest
from acting import Cast, clocks_of

pytestmark = pytest.mark.e2e


def test_int07_warned_twice_then_escalated_to_the_supervisor(platform, cast: Cast) -> None:
    story = cast.report()
    opened = story.look()
    platform.advance("121m")
    story.until_case(lambda case: _warned(case) == 50, "not warned at 50 %")
    platform.advance("72m")
    story.until_case(lambda case: _warned(case) == 80, "not warned at 80 %")
    platform.advance("48m")
    escalated = story.until_case(lambda case: clocks_of(case)["fault_response"] == "missed", "not missed")
    assert escalated["priority"] == opened["priority"] - 1
    happened = [(entry["happened"], entry["details"]) for entry in story.history()]
    fault_response = [each for each in happened if each[1].get("clock") == "fault_response"]
    assert [(name, details.get("percent")) for name, details in fault_response] == [
        ("clock_warned", "50"),
        ("clock_warned", "80"),
        ("case_escalated", None),
    ]
    assert fault_response[-1][1]["escalated_to"].startswith("supervisor")
    assert "escalated" in story.progress()["promise_text"]
    told = story.events_until("intake.case.escalated.v1")
    assert told.count("intake.clock.warned.v1") == 2
    assert told.count("intake.clock.missed.v1") == 1
    assert told.count("intake.case.escalated.v1") == 1

    story.assess(visit=False)
    late = next(clock for clock in story.look()["clocks"] if clock["name"] == "fault_response")
    assert late["state"] == "CLOCK_STATE_MISSED", "done late stays missed"
    assert late["ended_at"] > late["due_at"]
    story.step("duty", "startHandling")
    story.step("duty", "deliver", result="已远程恢复")
    story.finish()
    platform.assert_nothing_fell_out()


def _warned(case) -> int:
    return next(clock["warned_percent"] for clock in case["clocks"] if clock["name"] == "fault_response")
