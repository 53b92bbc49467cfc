"""Durable creations through the gateway, and the proof that none of them is lost."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure, at_most
from bench.floor import Floor
from bench.load import Outcome, Plan, run_in_own_process
from bench.platform import Platform

GROUP = "creations"
CLIENTS = (1, 16, 64)
WARM_UP_SECONDS = 2.0
# How often creations and floor take turns at each number of clients.
ROUNDS = 2
SHARE_AT_64 = 0.08
P99_MS_AT_64 = 200.0

_MISSING = """
SELECT count(*) FROM unnest($1::uuid[]) AS answered (case_id)
WHERE NOT EXISTS (SELECT FROM cases WHERE cases.case_id = answered.case_id)
"""


async def measure_creations(platform: Platform, floor: Floor, seconds: float) -> list[Figure]:
    """Reports of first-time callers at several numbers of clients, each run between two samples of the floor."""
    url, token = platform.state.gateway_url, await platform.token()
    series = iter(range(10**4))
    await run_in_own_process(Plan(url, token, max(CLIENTS), WARM_UP_SECONDS, next(series)))
    figures: list[Figure] = []
    everything: list[Outcome] = []
    for clients in CLIENTS:
        await floor.sample(clients)
        outcomes = []
        drained = 0.0
        for _ in range(ROUNDS):
            outcomes.append(await run_in_own_process(Plan(url, token, clients, seconds, next(series))))
            drained = max(drained, await platform.until_outbox_is_empty())
            await floor.sample(clients)
        figures += _figures(clients, _joined(outcomes), floor)
        figures.append(Figure(GROUP, f"{clients} clients: last event published after the load", drained, "s"))
        everything += outcomes
    return [*figures, *await _proof(platform, _joined(everything))]


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


def _figures(clients: int, outcome: Outcome, floor: Floor) -> Iterator[Figure]:
    share = outcome.per_second / floor.per_second(clients)
    p50, p99 = outcome.latency(0.5) * 1000, outcome.latency(0.99) * 1000
    if clients == max(CLIENTS):
        target, reached = f"≥ {SHARE_AT_64} of the floor", share >= SHARE_AT_64
        yield Figure(GROUP, f"{clients} clients", outcome.per_second, "/s", share, target, reached)
        yield Figure(GROUP, f"{clients} clients: p50", p50, "ms")
        yield at_most(GROUP, f"{clients} clients: p99", p99, "ms", P99_MS_AT_64)
    else:
        yield Figure(GROUP, f"{clients} clients", outcome.per_second, "/s", share)
        yield Figure(GROUP, f"{clients} clients: p50", p50, "ms")
        yield Figure(GROUP, f"{clients} clients: p99", p99, "ms")


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
