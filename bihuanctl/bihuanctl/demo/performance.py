"""One demo from the first token to the loop check."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from servicekit.clock import read_offset

from bihuanctl.check.facts import Snapshot
from bihuanctl.check.findings import Finding
from bihuanctl.check.gather import Inspector
from bihuanctl.check.rules import judge
from bihuanctl.demo.actors import Actors
from bihuanctl.demo.board import Board
from bihuanctl.demo.cast import Cast
from bihuanctl.demo.figures import Figures, count
from bihuanctl.demo.gateway import open_gateway
from bihuanctl.demo.journal import Journal
from bihuanctl.demo.pace import Pace
from bihuanctl.demo.personas import Personas, deal
from bihuanctl.demo.play import Play, Watch
from bihuanctl.demo.requests import Request
from bihuanctl.demo.scenes.programme import Scene, ScenePlayed, play_scenes
from bihuanctl.demo.scenes.stage import Stage
from bihuanctl.demo.story import Story
from bihuanctl.demo.workforce import Workforce
from bihuanctl.platform.accounts import read_accounts
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from bihuanctl.session import Session

# Numbers of one play differ from those of every other: a million plays of ten thousand customers.
PHONE_PREFIX = "1"
PLAYS = 10**6
CHECK_PATIENCE = 60.0


@dataclass(frozen=True)
class Outcome:
    """What came of a demo."""

    figures: Figures
    journal: Journal
    # How many stories each thing happened in that happens once, such as `pause`.
    happened: Counter[str]
    # Stories that did not come to their end.
    unfinished: Sequence[Story]
    # What was shown after the play.
    scenes: Sequence[ScenePlayed]
    snapshot: Snapshot
    findings: Sequence[Finding]
    # Real time of the play, and how far platform time went meanwhile.
    seconds: float
    check_seconds: float
    platform_time: timedelta
    # A case worth looking at: the one that most happened to.
    example: str

    @property
    def is_clean(self) -> bool:
        return not (
            self.findings or self.unfinished or self.journal.troubles or any(scene.trouble for scene in self.scenes)
        )


@dataclass(frozen=True)
class Programme:
    """What is played: requests of customers, and then scenes."""

    requests: Sequence[Request]
    scenes: Mapping[str, Scene]
    table: Personas
    random: Random


@dataclass(frozen=True)
class Audience:
    """Who is shown the play as it goes on, and told the lines of the scenes."""

    watch: Watch
    tell: Callable[[str], None]


async def perform(session: Session, programme: Programme, audience: Audience) -> Outcome:
    """Plays the programme on the platform that runs in the session's home."""
    table = programme.table
    state, environment = session.platform(), session.environment
    begun, journal = time.monotonic(), Journal()
    cast = Cast(read_accounts(session.layout.issuer), table.channels)
    token = operator_token(state, session.layout.issuer, environment)
    language = session.texts.language
    async with AsyncExitStack() as open_things:
        jetstream = await open_things.enter_async_context(operator_bus(session.layout.bus_login))
        services = await open_things.enter_async_context(channels(state.targets, token, language))
        gateway = await open_things.enter_async_context(open_gateway(state.gateway_url, journal, language))
        offset, _ = await read_offset(jetstream)
        pace, board = Pace(jetstream, services, offset), Board(gateway, cast)
        before, started = await pace.backlogs(), pace.now()
        crew = await Workforce(gateway, cast, table.workforce).get_ready(started)
        stories = write_stories(programme.requests, table, cast, programme.random, pace.now())
        play = Play(stories, Actors(gateway, cast, journal, crew), board, pace, audience.watch)
        await play.run()
        seconds, platform_time = time.monotonic() - begun, pace.now() - started

        def set_stage(name: str) -> Stage:
            return Stage(name, session, gateway, cast, pace, audience.tell)

        shown = await play_scenes(programme.scenes, set_stage, audience.tell)
        played = {story.case_id for story in play.stories if story.case_id and not story.joined}
        unfinished = [story for story in play.stories if not story.is_over or story.refused]
        cases = await board.archived(played)
        cases += [story.case for story in unfinished if story.case is not None]
        figures = count(
            cases,
            await board.work_orders_of(played),
            await board.records_of(played),
            before,
            await pace.backlogs(),
        )
        checking = time.monotonic()
        snapshot = await Inspector(services, jetstream, language).gather_when_quiet(CHECK_PATIENCE)
    return Outcome(
        figures=figures,
        journal=journal,
        happened=Counter(what for story in play.stories for what in story.done),
        unfinished=unfinished,
        scenes=shown,
        snapshot=snapshot,
        findings=judge(snapshot),
        seconds=seconds,
        check_seconds=time.monotonic() - checking,
        platform_time=platform_time,
        example=max(cases, key=lambda case: (case["reopened_times"], case["version"]))["case_number"] if cases else "",
    )


def write_stories(
    requests: Sequence[Request], table: Personas, cast: Cast, random: Random, begin: datetime
) -> list[Story]:
    """Deals out personas and moments of arrival. The same seed deals the same to the same requests."""
    total = len(requests)
    play = secrets.randbelow(PLAYS)
    hours = max(table.arrivals.hours, total / table.arrivals.most_per_hour)
    customers, owners = deal(table.customers, total, random), deal(table.owners, total, random)
    # Only who may get a visit draws an engineer, so that the shares are those of the visits.
    visited = [request.verdict is None or request.verdict.visit for request in requests]
    engineers = iter(deal(table.engineers, sum(visited), random))
    stories = []
    for number, request in enumerate(requests):
        own = Random(random.random())  # noqa: S311 -- chance on a stage
        stories.append(
            Story(
                request=request,
                arrives_at=begin + timedelta(hours=hours * (number + own.random()) / total),
                customer=customers[number],
                owner=owners[number],
                engineer=next(engineers) if visited[number] else "on_time",
                table=table,
                random=own,
                phone=request.phone or f"{PHONE_PREFIX}{play:06d}{number:04d}",
                idempotency_key=f"demo-{play}-{begin:%Y%m%d%H%M%S}-{number}",
                speaker=cast.speaker(request.channel, request.region, own),
            )
        )
    return stories
