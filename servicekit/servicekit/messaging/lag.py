"""How much of what is stored for a service it has not handled yet; what alerts and autoscaling go by (TRC-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import nats.errors
import nats.js.errors
import structlog

from servicekit.messaging.bus import Bus
from servicekit.messaging.metrics import consumer_lag
from servicekit.messaging.pull import Durable
from servicekit.messaging.reactions import Reactions
from servicekit.messaging.streams import EVENTS
from servicekit.telemetry import names

MEASURE_SECONDS = 10.0

log = structlog.get_logger(__name__)


async def measure_lag(bus: Bus, durables: Sequence[Durable], reactions: Reactions) -> None:
    """Measures until cancelled. What is under way counts as not handled: it may still fail; events that are left on
    the stream because nobody is there for whom they would be heard don't count."""
    while True:
        connection = await bus.connected()
        for durable in durables:
            try:
                info = await connection.jetstream.consumer_info(durable.stream, durable.name)
            except (nats.errors.Error, nats.js.errors.Error) as error:
                # It is not there yet, or the bus has gone; the consumer itself tells of both.
                log.debug("lag_unknown", stream=durable.stream, reason=str(error))
            else:
                is_left = durable.stream == EVENTS and reactions.is_resting
                waiting = 0 if is_left else (info.num_pending or 0) + (info.num_ack_pending or 0)
                consumer_lag.set(waiting, {names.STREAM: durable.stream})
        await asyncio.sleep(MEASURE_SECONDS)
