"""All figures computed again from the log come to the same (QLT-02)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from happenings import a_case
from quality.figures.tables import CONTRIBUTIONS
from quality.observations.commands import replay
from quality.observations.tables import OBSERVATIONS
from quality.rebuilding import begin_rebuild, finish_rebuild, require_building
from servicekit.errors import Fault
from sqlalchemy import func, select


class Log:
    """Events as the stream keeps them."""

    def __init__(self, world) -> None:
        self.world = world
        self.events = []

    async def happen(self, *events) -> None:
        for event in events:
            at = self.world.clock.now() + timedelta(minutes=len(self.events))
            self.events.append((event, uuid4(), at, len(self.events)))
            _, event_id, at, _ = self.events[-1]
            await self.world.hear(event, at=at, event_id=event_id)

    async def replay(self, generation: int, first: int = 0) -> int:
        return await self.world.do(replay, self.world.reader, generation, self.events[first:])


async def _finish(world, generation):
    outcome = await world.do(finish_rebuild, world.standards, generation)
    world.refresher.begin_anew()
    await world.refresher.catch_up()
    return outcome


async def _generations(world, table) -> set[int]:
    return set((await world.do(lambda tx: tx.execute(select(table.c.generation).distinct()))).scalars())


async def test_qlt02_a_rebuild_comes_to_the_same_figures_while_more_happens(world):
    log = Log(world)
    await log.happen(*a_case(5), *a_case(1, missed="handling"))
    generation = await world.do(begin_rebuild, world.standards, log_begins_at=None)
    assert await log.replay(generation) == len(log.events)
    await log.happen(*a_case(2, reopened=True))
    shown = await world.figures()
    assert await log.replay(generation) == len(log.events), "the same again changes nothing"
    outcome = await _finish(world, generation)
    assert (outcome.finished, outcome.differing) == (True, 0)
    assert outcome.contributions > 20
    assert await world.figures() == shown
    assert await _generations(world, OBSERVATIONS) == {generation}, "what nobody sees any more is thrown away"
    assert await _generations(world, CONTRIBUTIONS) == {generation}


async def test_what_was_lost_comes_back_from_the_log_and_is_told(world):
    log = Log(world)
    await log.happen(*a_case(5))
    lost = OBSERVATIONS.delete().where(OBSERVATIONS.c.mark == "case_rated")
    await world.do(lambda tx: tx.execute(lost))
    await log.happen(*a_case(1)[:1])
    generation = await world.do(begin_rebuild, world.standards, log_begins_at=None)
    await log.replay(generation)
    await _finish(world, generation)
    assert (await world.figure("satisfaction")).sample == 1


async def test_what_the_log_no_longer_has_is_taken_over(world):
    log = Log(world)
    await log.happen(*a_case(5), *a_case(1))
    kept = 7
    generation = await world.do(begin_rebuild, world.standards, log_begins_at=log.events[kept][2])
    await log.replay(generation, kept)
    shown = await world.figures()
    outcome = await _finish(world, generation)
    assert outcome.differing == 0
    assert await world.figures() == shown


async def test_a_second_rebuild_ends_the_first(world):
    first = await world.do(begin_rebuild, world.standards, log_begins_at=None)
    await world.do(begin_rebuild, world.standards, log_begins_at=None)
    with pytest.raises(Fault) as refused:
        await world.do(require_building, first)
    assert refused.value.code == "rebuild_given_up"


async def test_other_standards_form_every_contribution_anew(world):
    await world.hear(*a_case(5))
    await world.do(lambda tx: tx.execute(CONTRIBUTIONS.delete()))
    await world.do(lambda tx: tx.fetch("UPDATE quality_generations SET standards_hash = 'older'"))
    world.refresher.begin_anew()
    await world.refresher.catch_up()
    assert (await world.figure("satisfaction")).sample == 1
    assert await world.do(lambda tx: tx.scalar(select(func.count()).select_from(CONTRIBUTIONS))) > 0
