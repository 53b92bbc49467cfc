"""Durable creations through the gateway, and the proof that none of them is lost."""

from __future__ import annotations

from collections import Counter

from bench.figures import Figure, at_most, clients_text, processor_times
from bench.floor import Floor
from bench.load import Outcome, Plan, run_in_own_process
from bench.platform import Platform
from standards import load

GROUP = "creations"
CLIENTS = (1, 16, 64)
WARM_UP_SECONDS = 2.0
# How often creations and floor take turns at each number of clients.
ROUNDS = 2
SHARE_AT_64 = 0.08
P99_MS_AT_64 = 200.0
WARM_UP_SERIES, SERIES = 1, 2
# What the reports are taken for when they don't say it themselves.
PROPOSED_CATEGORY = "internet_access"

_MISSING = """
SELECT count(*) FROM unnest($1::uuid[]) AS answered (case_id)
WHERE NOT EXISTS (SELECT FROM cases WHERE cases.case_id = answered.case_id)
"""


async def measure_creations(platform: Platform, floor: Floor, seconds: float) -> list[Figure]:
    """Reports at several numbers of clients, each run between two samples of the floor.

    The callers are customers on file, as the floor has one case row and one outbox row; those who call for the first
    time, and are registered with a key of their own on the way, are a figure of their own.
    """
    url, token = platform.state.gateway_url, await platform.token()
    most_clients = max(CLIENTS)
    await run_in_own_process(Plan(url, token, most_clients, WARM_UP_SECONDS, WARM_UP_SERIES))
    await platform.until_handled()
    before = platform.processor_seconds()
    newcomers = await run_in_own_process(Plan(url, token, most_clients, ROUNDS * seconds, SERIES))
    await platform.until_handled()
    costs = processor_times(GROUP, "first-time creation", before, platform.processor_seconds(), len(newcomers.case_ids))
    everything = [newcomers]
    figures: list[Figure] = []
    # Each run is about something else, so that no report joins another.
    categories = iter(sorted(load().categories.keys() - {PROPOSED_CATEGORY}))
    for clients in CLIENTS:
        await floor.sample(clients)
        outcomes = []
        behind = 0.0
        spent: Counter[str] = Counter()
        for _ in range(ROUNDS):
            plan = Plan(url, token, clients, seconds, SERIES, next(categories), most=len(newcomers.case_ids))
            spent.subtract(platform.processor_seconds())
            outcomes.append(await run_in_own_process(plan))
            behind = max(behind, await platform.until_handled())
            spent.update(platform.processor_seconds())
            await floor.sample(clients)
        figures += _figures(clients_text(clients), clients, _joined(outcomes), floor)
        everything += outcomes
        if clients == most_clients:
            figures.append(Figure(GROUP, f"{clients_text(clients)}: consumers up to date after", behind, "s"))
            created = len(_joined(outcomes).case_ids)
            costs = processor_times(GROUP, "creation", {}, spent, created) + costs
    figures += _figures(f"{clients_text(most_clients)}, first-time callers", most_clients, newcomers, floor)
    return [*figures, *costs, *await _proof(platform, _joined(everything))]


def _joined(outcomes: list[Outcome]) -> Outcome:
    return Outcome(
        seconds=sum(outcome.seconds for outcome in outcomes),
        latencies=[latency for outcome in outcomes for latency in outcome.latencies],
        case_ids=[case_id for outcome in outcomes for case_id in outcome.case_ids],
        other_answers={
            status: sum(outcome.other_answers.get(status, 0) for outcome in outcomes)
            for status in sorted({status for outcome in outcomes for status in outcome.other_answers})
        },
    )


def _figures(name: str, clients: int, outcome: Outcome, floor: Floor) -> list[Figure]:
    share = outcome.per_second / floor.per_second(clients)
    p50, p99 = outcome.latency(0.5) * 1000, outcome.latency(0.99) * 1000
    aimed = clients == max(CLIENTS)
    return [
        Figure(GROUP, name, outcome.per_second, "/s", share, *_aim(share) if aimed else ()),
        Figure(GROUP, f"{name}: p50", p50, "ms"),
        at_most(GROUP, f"{name}: p99", p99, "ms", P99_MS_AT_64) if aimed else Figure(GROUP, f"{name}: p99", p99, "ms"),
    ]


def _aim(share: float) -> tuple[str, bool]:
    return f"≥ {SHARE_AT_64} of the floor", share >= SHARE_AT_64


async def _proof(platform: Platform, outcome: Outcome) -> list[Figure]:
    async with platform.database("intake") as intake:
        missing = await intake.fetchval(_MISSING, outcome.case_ids)
    # Each answer must name a case of its own: two reports in one case would hide a lost one.
    shared = len(outcome.case_ids) - len(set(outcome.case_ids))
    return [
        Figure(GROUP, "answered 201", len(outcome.case_ids), ""),
        Figure(GROUP, "answered otherwise", sum(outcome.other_answers.values()), ""),
        at_most(GROUP, "answered 201 and missing in the database", missing + shared, "", 0),
    ]
