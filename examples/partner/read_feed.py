"""A partner reads its feed: every event since it last looked, each once it is safe, as a line of JSON.

    FEED_PASSWORD=… python read_feed.py nats://127.0.0.1:4222 partner-demo [--until-empty]

Needs `pip install nats-py`. The durable consumer has the partner's name and was made by the platform; it remembers what
was acknowledged, so that after a day away this goes on where it ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import Any

import nats
import nats.js.errors
from nats.aio.msg import Msg

STREAM = "BIHUAN_FEEDS"
BATCH = 100
WAIT_SECONDS = 1.0


def read_event(message: Msg) -> dict[str, Any]:
    """A CloudEvent in binary mode: attributes in the headers, data in the body."""
    attributes = {name[3:]: value for name, value in (message.headers or {}).items() if name.startswith("ce-")}
    return {**attributes, "data": json.loads(message.data)}


async def read_feed(url: str, partner: str, password: str, *, until_empty: bool) -> None:
    """Prints what comes; with `until_empty` it returns once nothing more is waiting."""
    client = await nats.connect(url, user=partner, password=password)
    try:
        feed = await client.jetstream().pull_subscribe_bind(durable=partner, stream=STREAM)
        # An event that was printed but not acknowledged, because we died in between, comes again with the same id.
        seen: set[str] = set()
        while True:
            try:
                messages = await feed.fetch(BATCH, timeout=WAIT_SECONDS)
            except nats.errors.TimeoutError:
                if until_empty:
                    return
                continue
            except nats.js.errors.ServiceUnavailableError:
                # The bus restarts, or has heard of this partner a moment ago and has not opened the way yet.
                await asyncio.sleep(WAIT_SECONDS)
                continue
            for message in messages:
                event = read_event(message)
                if event["id"] not in seen:
                    seen.add(event["id"])
                    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
                    sys.stdout.flush()
                # Only now: what we did with it is safe. Confirmed, so that it does not come again.
                await message.ack_sync()
    finally:
        await client.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("partner")
    arguments.add_argument("--until-empty", action="store_true", help="end when nothing more is waiting")
    asked = arguments.parse_args()
    asyncio.run(read_feed(asked.url, asked.partner, os.environ["FEED_PASSWORD"], until_empty=asked.until_empty))
