"""An engineer lets a work order lie: it goes to the next one, and the customer's promise runs on (INT-07, DSP-04)."""

from __future__ import annotations

import pytest
from acting import Cast, clocks_of

pytestmark = pytest.mark.e2e


def test_int07_missed_acceptance_gives_the_work_to_another_engineer(platform, cast: Cast) -> None:
    late = cast.engineer()
    story = cast.report()
    story.assess(visit=True)
    order = story.until_order("assigned")
    assert order["engineer_id"] == late.engineer_id
    prompt = cast.engineer()
    platform.advance("61m")
    case = story.until_case(lambda case: case["handler"] == prompt.engineer_id, "not reassigned")
    order = story.order()
    assert (order["engineer_id"], order["reassigned_times"]) == (prompt.engineer_id, 1)
    assert clocks_of(order)["work_order_acceptance"] == "running"
    assert clocks_of(case)["staff_assessment"] == "running"
    assert clocks_of(case)["handling"] == "running"
    (assigned, again) = [entry for entry in story.history() if entry["happened"] == "case_assigned"]
    assert again["details"] == {"handler": prompt.engineer_id, "previous_handler": late.engineer_id}
    assert assigned["details"]["handler"] == late.engineer_id
    story.visit()
    story.finish()
    platform.assert_nothing_fell_out()


def test_dsp02_nobody_suitable_waits_until_somebody_comes_on_shift(platform, cast: Cast) -> None:
    unqualified = cast.engineer(level="junior")
    story = cast.report()
    proposed = story.look()["proposed"]["classification"]
    needs = {"needs_visit": True, "skill": cast.place.skill, "level": "senior"}
    story.step("duty", "assess", classification=proposed, **needs)
    waiting = story.until_order("waiting")
    # Other stories share the platform and may have left qualified people there, all off shift.
    assert waiting["assignment_reasons"][0] in {"no_qualified_engineer", "none_on_shift"}
    story.until_case(lambda _: "work_order_waiting" in story.happened(), "the desk was not told")
    assert story.look()["stage"] == "CASE_STAGE_ASSESSED"
    qualified = cast.engineer(level="senior")
    assigned = story.until_order("assigned")
    assert assigned["engineer_id"] == qualified.engineer_id != unqualified.engineer_id
    story.visit()
    story.finish()
    platform.assert_nothing_fell_out()
