"""The customer never answers: the result counts as confirmed, and says that it was by default (INT-11)."""

from __future__ import annotations

import pytest
from acting import Cast, clocks_of

pytestmark = pytest.mark.e2e


def test_int11_silence_confirms_by_default_and_is_marked_so(platform, cast: Cast) -> None:
    cast.engineer()
    story = cast.report()
    story.assess(visit=True)
    story.visit()
    platform.advance("25h")
    confirmed = story.until("confirmed")
    assert confirmed["confirmation"] == "CONFIRMATION_BY_DEFAULT"
    assert clocks_of(confirmed)["customer_confirmation"] == "missed"
    happened = story.history()
    warned = [entry["details"]["percent"] for entry in happened if entry["happened"] == "clock_warned"]
    assert warned == ["50", "80"]
    (default,) = [entry for entry in happened if entry["happened"] == "result_confirmed"]
    assert (default["actor"], default["details"]) == ("system", {"confirmation": "by_default"})
    assert "case_escalated" not in story.happened(), "silence is no failure of ours"
    story.follow_up()
    story.until("archived")
    record = story.record()
    assert record["satisfaction"] == 0
    assert record["complete"] is True, "a survey without an answer is an answer too (REC-01)"
    platform.assert_nothing_fell_out()
