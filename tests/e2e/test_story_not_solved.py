"""The customer says "not solved": the same case goes round again, more important, with a second visit (INT-11)."""

from __future__ import annotations

import pytest
from acting import Cast
from archiving import open_record

pytestmark = pytest.mark.e2e


def test_int11_not_solved_reopens_the_same_case_with_a_higher_priority(platform, cast: Cast) -> None:
    cast.engineer()
    story = cast.report()
    story.assess(visit=True)
    first = story.visit()
    story.confirm(solved=False, comment="还是断网")
    reopened = story.look()
    assert reopened["stage"] == "CASE_STAGE_ACCEPTED"
    assert reopened["priority"] == first["priority"] - 1
    assert reopened["reopened_times"] == 1
    assert (reopened["handler"], reopened["work_order_id"], reopened["result"]) == ("", "", "")
    assert "higher priority" in story.progress()["next_text"]
    assert "优先级" in story.progress(language="zh-CN")["next_text"]

    story.assess(visit=True)
    second = story.visit()
    assert second["work_order_id"] != first["work_order_id"]
    archived = story.finish()
    assert archived["confirmation"] == "CONFIRMATION_BY_CUSTOMER"
    assert story.happened().count("result_delivered") == 2
    texts = [text["text"] for text in open_record(cast, story.case_id)["texts"]]
    assert "还是断网" in texts
    platform.assert_nothing_fell_out()
