"""How the actors of a story act: steps through the gateway, as the case was last seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bihuanctl.demo.cast import Cast
from bihuanctl.demo.corpus import Sayings, corpora
from bihuanctl.demo.gateway import Gateway, Refused
from bihuanctl.demo.journal import Journal
from bihuanctl.demo.story import Story
from bihuanctl.platform.accounts import Account

# Somebody else was faster: a clock escalated, a customer withdrew, work was given to a colleague. One looks again.
OVERTAKEN: Final = frozenset({"stale_version", "transition_forbidden", "not_yours"})


@dataclass(frozen=True)
class Actors:
    """What every actor needs."""

    gateway: Gateway
    cast: Cast
    journal: Journal
    # User id by engineer id.
    crew: Mapping[str, str]

    async def on_case(self, story: Story, actor: Account, step: str, **body: Any) -> bool:
        """A step on the case as last seen; False when somebody else was faster."""
        assert story.case is not None
        return await self._step(actor, f"/v1/cases/{story.case_id}:{step}", body, int(story.case["version"]))

    async def on_order(self, story: Story, step: str, **body: Any) -> bool:
        """A step of the engineer who has the work order as last seen; False when it is no longer theirs to take."""
        assert story.order is not None
        engineer = self.cast.named(self.crew[story.order["engineer_id"]])
        path = f"/v1/work-orders/{story.order['work_order_id']}:{step}"
        return await self._step(engineer, path, body, int(story.order["version"]))

    async def write(self, story: Story, text: str) -> None:
        """The customer writes to us about the case, on the channel it came from."""
        body = {"channel": story.request.channel, "inbound": True, "text": text}
        await self._step(story.speaker, f"/v1/cases/{story.case_id}/interactions", body, 0)

    async def rate(self, story: Story, score: int, comment: str) -> None:
        """The customer answers the survey."""
        body = {"score": score, "comment": comment}
        await self._step(story.speaker, f"/v1/cases/{story.case_id}:answerSurvey", body, 0)

    async def _step(self, actor: Account, path: str, body: Mapping[str, Any], version: int) -> bool:
        try:
            await self.gateway.post(actor, path, body, version=version)
        except Refused as refused:
            if refused.code not in OVERTAKEN:
                raise
            self.journal.conflicts += 1
            return False
        return True


def sayings(story: Story) -> Sayings:
    """What people say in the story's language."""
    return corpora()[story.request.language].sayings
