"""The play: rounds in which everybody who has something to do does it, with platform time moved on between them.

Each round looks at the work at hand, lets the next person of every story act, waits until all of it has gone through
the platform, and moves the clock on to the next moment that can't be put off. Nothing waits for a fixed length of real
time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bihuanctl.demo.actors import Actors
from bihuanctl.demo.board import Board
from bihuanctl.demo.customers import Customer
from bihuanctl.demo.desk import Desk
from bihuanctl.demo.engineers import Engineer
from bihuanctl.demo.gateway import Json, Refused
from bihuanctl.demo.pace import Pace
from bihuanctl.demo.story import AT_LEISURE, SOON, Move, Story, running_out

# Platform time without any news after which the play is given up; longer than any clock of a case.
GIVE_UP_AFTER: Final = timedelta(days=4)
MOST_TROUBLES: Final = 3

Watch = Callable[[Sequence[Story], datetime], None]


class Play:
    """Plays stories to their end."""

    def __init__(self, stories: list[Story], actors: Actors, board: Board, pace: Pace, watch: Watch) -> None:
        self.stories = stories
        self._actors = actors
        self._board = board
        self._pace = pace
        self._watch = watch

    async def run(self) -> None:
        """Returns when every story is over, or nothing happens any more."""
        news_at = self._pace.now()
        while True:
            now = self._pace.now()
            if await self._look(now):
                news_at = now
            self._watch(self.stories, now)
            moves = [move for story in self.stories if (move := self._next_move(story)) is not None]
            if all(story.is_over for story in self.stories) or now > news_at + GIVE_UP_AFTER:
                return
            due = [move for move in moves if move.due <= now]
            await asyncio.gather(*(move.act() for move in due))
            if due:
                await self._pace.settle()
            # What the acts lead to is not seen yet: it is looked at as soon as the acts themselves would have been.
            moments = [max(move.due, now) + move.patience for move in moves] + self._ends_of_clocks()
            if not moments:
                return
            await self._pace.advance_to(max(min(moments), now + SOON))

    async def _look(self, now: datetime) -> bool:
        """Tells every story what is to be seen of it; True when there was news."""
        looked_at = [story for story in self.stories if story.case_id and not story.is_over and not story.rests(now)]
        sight = await self._board.look({story.case_id for story in looked_at})
        news = False
        for story in looked_at:
            news |= story.notice(sight.cases[story.case_id], sight.orders.get(story.case_id), now)
            if story.stray is not None:
                self.stories.append(story.goes_on(now))
            if story.is_over and story.customer == "returns":
                self.stories.append(story.comes_back(now))
        return news

    def _next_move(self, story: Story) -> Move | None:
        """What happens next in a story, guarded: one refusal must not stop the play."""
        if story.is_over:
            return None
        if story.case is None:
            return Move("open", story.arrives_at, lambda: self._guarded(story, self._open(story)))
        people = (Customer(story, self._actors), Desk(story, self._actors), Engineer(story, self._actors))
        moves = [move for person in people if (move := person.next_move()) is not None]
        if not moves:
            return None
        first = min(moves, key=lambda move: move.due)
        return replace(first, act=lambda: self._guarded(story, first.act()))

    async def _guarded(self, story: Story, acting: Awaitable[None]) -> None:
        story.touched = True
        try:
            await acting
        except Refused as refused:
            self._actors.journal.troubles.append(str(refused))
            story.troubles += 1
            story.refused = story.case is None or story.troubles >= MOST_TROUBLES

    async def _open(self, story: Story) -> None:
        """The request reaches us; where the same customer has the same problem open, it joins that case."""
        body = story.request.body(story.phone)
        answer = await self._actors.gateway.post(story.speaker, "/v1/cases", body, key=story.idempotency_key)
        case: Json = answer["case"]
        played = any(other.case_id == case["case_id"] for other in self.stories)
        self._actors.journal.joined += bool(answer["joined"])
        if answer["joined"] and played:
            story.joined = True
        else:
            # A case that nobody plays, left open by an earlier visitor, is played from here on.
            story.notice(case, None, self._pace.now())

    def _ends_of_clocks(self) -> list[datetime]:
        """When clocks run out: silence becomes confirmation, and what an engineer let lie goes to a colleague."""
        ends = []
        for story in self.stories:
            if not story.is_over:
                ends += [end + AT_LEISURE for end in running_out(story.case)]
                ends += [end + SOON for end in running_out(story.order)]
        return ends
