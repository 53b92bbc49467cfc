"""While we wait for the customer the clocks stand still, however long that takes (INT-07)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from acting import APP, DESK, Cast, clocks_of

pytestmark = pytest.mark.e2e


def test_int07_clocks_stand_still_while_the_customer_is_asked(platform, cast: Cast) -> None:
    story = cast.report()
    before = _due(story.look(), "fault_response")
    story.step(DESK, "pause", reason="Which lamps of the modem are on?")
    paused = story.look()
    assert paused["waiting_for_customer"] is True
    assert set(clocks_of(paused).values()) == {"paused"}
    assert "promised_by" not in story.progress()
    assert "stands still" in story.progress()["promise_text"]

    platform.advance("30h")
    platform.assert_nothing_fell_out()
    waiting = story.look()
    assert set(clocks_of(waiting).values()) == {"paused"}, "thirty hours later nothing was missed"
    assert waiting["priority"] == paused["priority"]

    body = {"channel": "app", "inbound": True, "text": "只有红灯亮"}
    cast.do(APP, f"/v1/cases/{story.case_id}/interactions", body)
    going_on = story.look()
    assert going_on["waiting_for_customer"] is False
    assert set(clocks_of(going_on).values()) == {"running"}
    assert timedelta(hours=30) <= _due(going_on, "fault_response") - before < timedelta(hours=31)
    happened = story.happened()
    assert "clock_warned" not in happened
    assert happened[-2:] == ["case_paused", "interaction_added"]
    story.step(APP, "withdraw", reason="恢复了")
    platform.assert_nothing_fell_out()


def _due(case: Any, name: str) -> datetime:
    (clock,) = [clock for clock in case["clocks"] if clock["name"] == name]
    return datetime.fromisoformat(clock["due_at"])
