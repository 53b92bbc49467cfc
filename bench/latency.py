"""From a commit in intake to a subscriber on the bus, at a steady rate.

Both ends read this machine's clock. The event's time is when its row was written, just before the commit, so the commit
itself counts; the subscriber gets what the stream has stored safely.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy
from servicekit.messaging.streams import EVENTS

from bench.figures import Figure, at_most, percentile
from bench.load import Plan, run_in_own_process
from bench.platform import Platform

GROUP = "latency"
EVENTS_PER_SECOND = 200
# A first-time caller's report makes two events: the customer is registered and the case opened.
EVENTS_PER_REPORT = 2
CLIENTS = 64
SERIES = 9_999
P50_MS = 10.0
P99_MS = 60.0
ARRIVAL_PATIENCE = 10.0

_COMMITTED = """
SELECT event_id::text, extract(epoch FROM real_created_at)::float8 AS at
FROM outbox WHERE real_created_at > to_timestamp($1)
"""


async def measure_latency(platform: Platform, seconds: float) -> list[Figure]:
    await platform.until_quiet()
    plan = Plan(
        platform.state.gateway_url,
        await platform.token(),
        CLIENTS,
        seconds,
        SERIES,
        per_second=EVENTS_PER_SECOND / EVENTS_PER_REPORT,
    )
    began = time.time()
    async with _arrivals(platform) as arrived:
        await run_in_own_process(plan)
        await platform.until_outbox_is_empty()
        async with platform.database("intake") as intake:
            committed = {row["event_id"]: row["at"] for row in await intake.fetch(_COMMITTED, began)}
        async with asyncio.timeout(ARRIVAL_PATIENCE):
            while committed.keys() - arrived.keys():
                await asyncio.sleep(0.01)
    lags = [(arrived[event_id] - at) * 1000 for event_id, at in committed.items()]
    return [
        Figure(GROUP, "events", len(lags) / seconds, "/s"),
        at_most(GROUP, "commit to subscriber: p50", percentile(lags, 0.5), "ms", P50_MS),
        at_most(GROUP, "commit to subscriber: p99", percentile(lags, 0.99), "ms", P99_MS),
        Figure(GROUP, "commit to subscriber: longest", max(lags), "ms"),
    ]


@asynccontextmanager
async def _arrivals(platform: Platform) -> AsyncIterator[dict[str, float]]:
    """When each event arrives here, by its id; grows while the block runs."""
    arrived: dict[str, float] = {}

    async def note(message: Msg) -> None:
        assert message.headers is not None
        arrived.setdefault(message.headers["ce-id"], time.time())

    async with platform.jetstream() as jetstream:
        # Only what is new: the first events would queue here behind everything that earlier loads have left.
        subscription = await jetstream.subscribe(
            "bihuan.intake.>", stream=EVENTS, ordered_consumer=True, deliver_policy=DeliverPolicy.NEW, cb=note
        )
        try:
            yield arrived
        finally:
            await subscription.unsubscribe()
