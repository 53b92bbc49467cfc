"""The bus as the operator sees it: what was published how often, and publishing things again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import uuid4

from bihuanctl.platform.bus import operator_bus
from servicekit.messaging.envelope import MESSAGE_ID

# Ids of what stories of this process have published again on purpose; they may share a platform with others.
_put_again: set[str] = set()


def published(platform: Any, *, commands: bool = False) -> list[dict[str, Any]]:
    """Every event (or command) that the bus keeps, oldest first."""
    options = ("--commands",) if commands else ()
    told = platform.run("events", "--last", "0", "--json", *options)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def assert_published_once(platform: Any) -> None:
    """No event and no command stands on the bus twice, unless a story has put it there again."""
    messages = published(platform) + published(platform, commands=True)
    times = Counter(message["event_id"] for message in messages if "redeliver" not in message["subject"])
    assert {event_id: count for event_id, count in times.items() if count > 1 and event_id not in _put_again} == {}


def publish_again(platform: Any, messages: list[dict[str, Any]], times: int) -> None:
    """Publishes messages again as the events that they are, past the stream's own deduplication."""
    _put_again.update(message["event_id"] for message in messages)
    asyncio.run(_publish_again(platform, messages, times))


async def _publish_again(platform: Any, messages: list[dict[str, Any]], times: int) -> None:
    async with operator_bus(platform.home / "run" / "bus.json") as jetstream:
        for message in messages:
            stored = await jetstream.get_msg(message["stream"], seq=message["sequence"])
            kept = {name: value for name, value in (stored.headers or {}).items() if not name.startswith("Nats-")}
            for _ in range(times):
                headers = kept | {MESSAGE_ID: str(uuid4())}
                await jetstream.publish(message["subject"], stored.data or b"", headers=headers)
