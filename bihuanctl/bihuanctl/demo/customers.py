"""What customers do: answer, report again, withdraw, confirm and rate, or keep silent (INT-11, INT-12, INT-14)."""

from __future__ import annotations

from bihuanctl.demo.actors import Actors, sayings
from bihuanctl.demo.story import AT_LEISURE, Move, Story

UNSOLVED = ("CASE_STAGE_ACCEPTED", "CASE_STAGE_ASSESSED", "CASE_STAGE_ASSIGNED", "CASE_STAGE_HANDLING")
DELIVERED = "CASE_STAGE_DELIVERED"


class Customer:
    """The customer of one story."""

    def __init__(self, story: Story, actors: Actors) -> None:
        self._story = story
        self._actors = actors

    def next_move(self) -> Move | None:
        """None while there is nothing for the customer to do, or they keep silent."""
        story = self._story
        assert story.case is not None
        if story.case["waiting_for_customer"]:
            return Move("reply", story.after("reply"), self._reply, AT_LEISURE)
        if story.stage in UNSOLVED:
            if story.customer == "withdraws":
                return Move("withdraw", story.after("withdraw"), self._withdraw)
            if story.customer == "repeats" and "repeat" not in story.done:
                return Move("repeat", story.after("repeat"), self._repeat)
        elif story.stage == DELIVERED and story.customer != "silent":
            if story.customer == "unsatisfied" and "object" not in story.done:
                return Move("object", story.after("confirm"), self._object, AT_LEISURE)
            return Move("confirm", story.after("confirm"), self._confirm, AT_LEISURE)
        return None

    async def _reply(self) -> None:
        await self._actors.write(self._story, self._story.random.choice(sayings(self._story).reply))

    async def _withdraw(self) -> None:
        reason = self._story.random.choice(sayings(self._story).withdrawal)
        await self._actors.on_case(self._story, self._story.speaker, "withdraw", reason=reason)

    async def _repeat(self) -> None:
        """The same problem again, said to be the same; it joins the open case."""
        story, actors = self._story, self._actors
        assert story.case is not None
        story.done.add("repeat")
        body = story.reported_again().body(story.phone)
        answer = await actors.gateway.post(story.speaker, "/v1/cases", body, key=f"{story.idempotency_key}-again")
        if answer["joined"]:
            actors.journal.joined += 1
        else:
            story.stray = answer["case"]

    async def _object(self) -> None:
        story = self._story
        comment = story.random.choice(sayings(story).not_solved)
        if await self._actors.on_case(story, story.speaker, "confirm", solved=False, comment=comment):
            story.done.add("object")

    async def _confirm(self) -> None:
        """Confirms, and most answer the survey in the same minute."""
        story = self._story
        if not await self._actors.on_case(story, story.speaker, "confirm", solved=True):
            return
        survey, said = story.table.survey, sayings(story)
        if story.customer == "low_score":
            await self._actors.rate(story, story.draw(survey.low_scores), story.random.choice(said.dissatisfied))
        elif story.chance(survey.response_percent):
            score = story.draw(survey.scores)
            comments = said.neutral if score <= 3 else said.satisfied  # noqa: PLR2004 -- the middle of 1 to 5
            await self._actors.rate(story, score, story.random.choice(comments))
