"""Dispatch dies by SIGKILL again and again in the middle of its reactions: each visit is asked for once."""

from __future__ import annotations

import threading

import pytest
from acting import DESK, Cast, Story
from insistence import Crowd

pytestmark = pytest.mark.e2e

CASES = 24
KILLS = 3


def test_a_reaction_that_died_is_done_again_once(platform, cast: Cast) -> None:
    engineers = [cast.engineer() for _ in range(CASES // 4)]
    crowd = Crowd(cast)
    stories = [cast.story(case_id) for case_id in crowd.open_cases(CASES)]

    def assess(story: Story) -> None:
        story.assess(visit=True, user=DESK)

    commands = threading.Thread(target=crowd.all_at_once, args=(assess, stories))
    commands.start()
    for _ in range(KILLS):
        platform.kill("dispatch")
        platform.until_healthy("dispatch")
    commands.join()
    platform.assert_nothing_fell_out(wait=90)
    for story in stories:
        orders = cast.get("dispatcher", f"/v1/work-orders?case_id={story.case_id}")["work_orders"]
        assert len(orders) == 1
        assert story.happened().count("case_assigned") == 1
    loads = [cast.get("dispatcher", f"/v1/engineers/{each.engineer_id}")["open_work_orders"] for each in engineers]
    assert sum(loads) == CASES
    crowd.play_all(story.case_id for story in stories)
    platform.assert_nothing_fell_out(wait=60)
