"""The customer no longer wants it: the visit is called off, and the case still goes into the archive."""

from __future__ import annotations

import pytest
from acting import APP, Cast

pytestmark = pytest.mark.e2e


def test_a_withdrawn_case_calls_the_engineer_off_and_is_filed(platform, cast: Cast) -> None:
    engineer = cast.engineer()
    story = cast.report()
    story.assess(visit=True)
    story.until_order("assigned")
    story.visit_step("accept")
    story.until("handling")
    story.step(APP, "withdraw", reason="自己好了")
    story.until_order("cancelled")
    archived = story.until("archived")
    assert archived["outcome"] == "CASE_OUTCOME_WITHDRAWN"
    assert "withdrawn" in story.progress()["promise_text"]
    record = story.record()
    assert record["outcome"] == "CASE_OUTCOME_WITHDRAWN"
    assert record["complete"] is True, record["missing"]
    free = cast.get("dispatcher", f"/v1/engineers/{engineer.engineer_id}")
    assert free["open_work_orders"] == 0
    late = cast.ask("dispatcher", f"/v1/work-orders/{story.order()['work_order_id']}:arrive", {})
    assert (late.status_code, late.json()["code"]) == (409, "transition_forbidden")
    platform.assert_nothing_fell_out()
