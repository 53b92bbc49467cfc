"""What engineers do with their work orders: accept, travel, arrive, complete; some are late, some fail (DSP-03)."""

from __future__ import annotations

from bihuanctl.demo.actors import Actors, sayings
from bihuanctl.demo.corpus import corpora
from bihuanctl.demo.story import Move, Story


class Engineer:
    """Whoever has the work order of one story."""

    def __init__(self, story: Story, actors: Actors) -> None:
        self._story = story
        self._actors = actors

    def next_move(self) -> Move | None:
        """None while nobody has the work order, or they let it lie."""
        story = self._story
        if story.order is None or story.order.get("engineer_id", "") not in self._actors.crew:
            return None
        match story.order["state"]:
            case "WORK_ORDER_STATE_ASSIGNED":
                return self._answer_to_assignment()
            case "WORK_ORDER_STATE_ACCEPTED":
                return Move("travel", story.after("travel"), self._travel)
            case "WORK_ORDER_STATE_TRAVELLING":
                return Move("arrive", story.after("arrive"), self._arrive)
            case "WORK_ORDER_STATE_ON_SITE":
                return Move("complete", story.after("work_on_site"), self._finish)
        return None

    def _answer_to_assignment(self) -> Move | None:
        story = self._story
        assert story.order is not None
        assignment = f"lies {story.order['assigned_at']}"
        if story.engineer == "late" and not any(done.startswith("lies") for done in story.done):
            story.done.add(assignment)
        if assignment in story.done:
            # The acceptance clock runs out, and a colleague gets it.
            return None
        if story.engineer == "rejects" and "reject" not in story.done:
            return Move("reject", story.after("reject"), self._reject)
        return Move("accept", story.after("accept"), self._accept)

    async def _accept(self) -> None:
        await self._actors.on_order(self._story, "accept")

    async def _reject(self) -> None:
        reason = self._story.random.choice(sayings(self._story).rejection)
        if await self._actors.on_order(self._story, "reject", reason=reason):
            self._story.done.add("reject")

    async def _travel(self) -> None:
        await self._actors.on_order(self._story, "startTravel")

    async def _arrive(self) -> None:
        await self._actors.on_order(self._story, "arrive")

    async def _finish(self) -> None:
        story = self._story
        assert story.case is not None
        if story.engineer == "fails_once" and "fail" not in story.done:
            failure = story.random.choice(sayings(story).failure)
            if await self._actors.on_order(story, "fail", failure=failure):
                story.done.add("fail")
            return
        category = story.case["classification"]["category"]
        report = corpora()[story.request.language].report(category, story.random)
        await self._actors.on_order(story, "complete", report=report)
