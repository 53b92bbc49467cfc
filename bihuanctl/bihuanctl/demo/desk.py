"""What agents and supervisors do: assess, hand over, answer at the desk, follow up (INT-04, INT-05, INT-08)."""

from __future__ import annotations

from typing import Any

from bihuanctl.demo.actors import Actors, sayings
from bihuanctl.demo.story import AT_LEISURE, Move, Story
from bihuanctl.platform.accounts import Account
from standards import load

FAULT = "fault_repair"
LOW_SCORE = "low_score"


class Desk:
    """Whoever owns the case of one story."""

    def __init__(self, story: Story, actors: Actors) -> None:
        self._story = story
        self._actors = actors

    def next_move(self) -> Move | None:
        """None while the case waits for somebody else."""
        story = self._story
        assert story.case is not None
        if story.case["waiting_for_customer"]:
            return None
        if story.stage == "CASE_STAGE_ACCEPTED":
            return self._first_move()
        if story.stage == "CASE_STAGE_CONFIRMED":
            return Move("follow_up", story.after("follow_up"), self._follow_up, AT_LEISURE)
        if not story.case["work_order_id"]:
            if story.stage == "CASE_STAGE_ASSIGNED":
                return Move("take_up", story.after("take_up"), self._take_up)
            if story.stage == "CASE_STAGE_HANDLING":
                return Move("answer", story.after("desk_work"), self._answer, AT_LEISURE)
        return None

    def _first_move(self) -> Move:
        story = self._story
        if story.customer == "awaited" and "pause" not in story.done:
            return Move("pause", story.after("pause"), self._pause)
        if story.owner == "hands_over" and "hand_over" not in story.done:
            return Move("hand_over", story.after("hand_over"), self._hand_over)
        late = story.owner == "late" and "assess" not in story.done
        return Move("assess", story.after("assess_late" if late else "assess"), self._assess)

    @property
    def _owner(self) -> Account:
        assert self._story.case is not None
        return self._actors.cast.owner(self._story.case["owner"], self._story.request.region)

    async def _pause(self) -> None:
        reason = self._story.random.choice(sayings(self._story).pause)
        if await self._actors.on_case(self._story, self._owner, "pause", reason=reason):
            self._story.done.add("pause")

    async def _hand_over(self) -> None:
        story = self._story
        successor = self._actors.cast.successor(self._owner.name, story.request.region, story.random)
        reason = story.random.choice(sayings(story).hand_over)
        if await self._actors.on_case(story, self._owner, "handOver", to=successor.name, reason=reason):
            story.done.add("hand_over")

    async def _assess(self) -> None:
        """Confirms what is proposed, or overrides it where the request is known to be something else."""
        story = self._story
        assert story.case is not None
        known = story.request.verdict
        classification: dict[str, Any]
        if known is not None:
            classification = {"kind": known.kind, "category": known.category, "urgency": known.urgency}
            visit = known.visit
        else:
            classification = story.case["proposed"]["classification"]
            visit = classification["kind"] == FAULT and story.chance(story.table.file_faults_visited_percent)
        if await self._actors.on_case(story, self._owner, "assess", classification=classification, needs_visit=visit):
            story.done.add("assess")

    async def _take_up(self) -> None:
        await self._actors.on_case(self._story, self._owner, "startHandling")

    async def _answer(self) -> None:
        story = self._story
        result = story.request.answer or story.random.choice(sayings(story).answer)
        await self._actors.on_case(story, self._owner, "deliver", result=result)

    async def _follow_up(self) -> None:
        """回访. A low score is for the supervisor (INT-12)."""
        story = self._story
        assert story.case is not None
        said, caller = sayings(story), self._owner
        if 0 < story.case["satisfaction"] <= load().thresholds[LOW_SCORE].value:
            note, reached = story.random.choice(said.apology), True
            caller = self._actors.cast.supervisor_of(story.request.region)
        else:
            reached = story.chance(story.table.reached_percent)
            note = story.random.choice(said.follow_up if reached else said.unreached)
        await self._actors.on_case(story, caller, "followUp", note=note, reached=reached)
