"""Each service in turn is away for a day: the others go on, nothing is lost, and no clock, which acts once it can."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from acting import APP, DESK, Cast, Story, clocks_of
from bihuanctl.supervisor.environment import SERVICES
from complaining import Grievance

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

INTAKE, DISPATCH, COMPLAINTS = "intake", "dispatch", "complaints"


@pytest.mark.parametrize("away", SERVICES)
def test_int07_after_a_day_without_it_everything_goes_on(platform: Any, cast: Cast, away: str) -> None:
    cast.engineer()
    unseen, silent, answered = cast.report(), _delivered(cast), _delivered(cast)
    priority = unseen.look()["priority"]
    grievance = Grievance.by_web(cast, "宽带反复断网")

    platform.stop(away)
    asked = f"/v1/complaints/{grievance.complaint_id}" if away == COMPLAINTS else f"/v1/cases/{unseen.case_id}"
    if away in (INTAKE, COMPLAINTS):
        refused = cast.ask("complaint", asked)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    if away != INTAKE:
        answered.confirm()
        answered.follow_up()
        visited = _wanting_a_visit(cast)
    if away not in (INTAKE, DISPATCH):
        _accept(visited)
    platform.advance("25h")
    platform.start(away)

    # Every mark that was passed was acted on, and once.
    confirmed = silent.until("confirmed")
    assert confirmed["confirmation"] == "CONFIRMATION_BY_DEFAULT"
    missed = unseen.until_case(lambda case: clocks_of(case)["fault_response"] == "missed", "not missed")
    assert missed["priority"] == priority - 1
    assert _marks(unseen) == {("clock_warned", "50"): 1, ("clock_warned", "80"): 1, ("case_escalated", None): 1}
    assert unseen.events_until("intake.clock.missed.v1").count("intake.clock.missed.v1") == 1
    # Half of the 48 hours for classifying a complaint, and for beginning with it.
    platform.eventually(lambda: grievance.events().count("complaints.clock.warned.v1") == 2, "not warned")

    # And what was begun is brought to its end.
    if away == INTAKE:
        answered.until("confirmed")
        answered.follow_up()
        visited = _wanting_a_visit(cast)
    if away in (INTAKE, DISPATCH):
        _accept(visited)
    silent.follow_up()
    visited.visit_step("arrive")
    visited.complete_visit()
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


def _wanting_a_visit(cast: Cast) -> Story:
    story = cast.report()
    story.assess(visit=True)
    return story


def _accept(story: Story) -> None:
    """The engineer takes the visit on; left lying for a day, it would go to somebody else."""
    story.until_order("assigned")
    story.visit_step("accept")


def _marks(story: Story) -> Counter[tuple[str, Any]]:
    return Counter(
        (entry["happened"], entry["details"].get("percent"))
        for entry in story.history()
        if entry["details"].get("clock") == "fault_response"
    )
