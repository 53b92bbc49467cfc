"""Each service in turn is away for a day: the others go on, nothing is lost, and no clock, which acts once it can."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from acting import APP, DESK, Cast, Story, clocks_of
from bihuanctl.supervisor.environment import SERVICES
from complaining import Grievance

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# Who accepts cases, and works with them at the desk.
INTAKE, COMPLAINTS = "intake", "complaints"


@pytest.mark.parametrize("away", SERVICES)
def test_int07_after_a_day_without_it_everything_goes_on(platform: Any, cast: Cast, away: str) -> None:
    cast.engineer()
    unseen, silent, answered = cast.report(), _delivered(cast), _delivered(cast)
    priority = unseen.look()["priority"]
    grievance = Grievance.by_web(cast, "宽带反复断网")

    platform.stop(away)
    if away == INTAKE:
        refused = cast.ask(APP, "/v1/cases", cast.request())
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    else:
        visited = _go_on(cast, answered)
    if away == COMPLAINTS:
        refused = cast.ask("complaint", f"/v1/complaints/{grievance.complaint_id}")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    platform.advance("25h")
    platform.start(away)

    # Every mark that was passed was acted on, and once.
    confirmed = silent.until("confirmed")
    assert confirmed["confirmation"] == "CONFIRMATION_BY_DEFAULT"
    missed = unseen.until_case(lambda case: clocks_of(case)["fault_response"] == "missed", "not missed")
    assert missed["priority"] == priority - 1
    assert _marks(unseen) == {("clock_warned", "50"): 1, ("clock_warned", "80"): 1, ("case_escalated", None): 1}
    assert unseen.events().count("intake.clock.missed.v1") == 1
    grievance.until(lambda each: grievance.clocks()["complaint_classification"] == "running", "no clock")
    assert [name for name in grievance.events() if name.startswith("complaints.clock.")].count(
        "complaints.clock.missed.v1"
    ) == len([state for state in grievance.clocks().values() if state == "missed"])

    # And what was begun is brought to its end.
    if away == INTAKE:
        visited = _go_on(cast, answered)
    silent.follow_up()
    visited.visit()
    visited.finish()
    for story in (silent, answered):
        story.until("archived")
    unseen.step(APP, "withdraw", reason="自己好了")
    unseen.until("archived")
    platform.assert_nothing_fell_out(wait=60)


def _delivered(cast: Cast) -> Story:
    """A case that the desk has solved, and whose customer has not answered yet."""
    story = cast.report()
    story.assess(visit=False)
    story.step(DESK, "startHandling")
    story.step(DESK, "deliver", result="已远程恢复")
    return story


def _go_on(cast: Cast, answered: Story) -> Story:
    """What people do meanwhile: one case is closed, another is opened and needs a visit; gives the latter."""
    answered.confirm()
    answered.follow_up()
    visited = cast.report()
    visited.assess(visit=True)
    return visited


def _marks(story: Story) -> Counter[tuple[str, Any]]:
    return Counter(
        (entry["happened"], entry["details"].get("percent"))
        for entry in story.history()
        if entry["details"].get("clock") == "fault_response"
    )
