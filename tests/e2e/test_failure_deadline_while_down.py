"""Clocks run out while the service that owns them is down: they are acted on once it is back, each mark once."""

from __future__ import annotations

from collections import Counter

import pytest
from acting import Cast, clocks_of

pytestmark = pytest.mark.e2e


def test_int07_no_clock_is_lost_while_its_service_is_down(platform, cast: Cast) -> None:
    cast.engineer()
    delivered = cast.report()
    delivered.assess(visit=True)
    delivered.visit()
    unseen = cast.report()
    priority = unseen.look()["priority"]

    platform.stop("intake")
    platform.advance("25h")
    platform.start("intake")

    confirmed = delivered.until("confirmed")
    assert confirmed["confirmation"] == "CONFIRMATION_BY_DEFAULT"
    missed = unseen.until_case(lambda case: clocks_of(case)["fault_response"] == "missed", "not missed")
    assert missed["priority"] == priority - 1
    marks = Counter(
        (entry["happened"], entry["details"].get("percent"))
        for entry in unseen.history()
        if entry["details"].get("clock") == "fault_response"
    )
    assert marks == {("clock_warned", "50"): 1, ("clock_warned", "80"): 1, ("case_escalated", None): 1}
    assert unseen.events().count("intake.clock.missed.v1") == 1

    delivered.follow_up()
    delivered.until("archived")
    unseen.step("channel-app", "withdraw", reason="自己好了")
    platform.assert_nothing_fell_out()
