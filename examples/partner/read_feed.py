"""A partner reads its feed: every event since it last looked, each once it is safe, as a line of JSON.

    FEED_PASSWORD=… python read_feed.py nats://127.0.0.1:4222 partner-demo [--until-empty]

Needs `pip install nats-py`. The durable consumer has the partner's name and was made by the platform; it remembers what
was acknowledged, so that after a day away this goes on where it ended. What a reader that died had in hand comes again
after 30 s, and is not waiting until then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

NEXT = "$JS.API.CONSUMER.MSG.NEXT.BIHUAN_FEEDS"
# How long the bus waits for an event before it says that there is none.
LINGER_SECONDS = 2
# How long an answer may take on a busy machine or line. Silence is never taken for an empty feed.
PATIENCE_SECONDS = 10
PAUSE_SECONDS = 1.0


def read_event(message: Msg) -> dict[str, Any]:
    """A CloudEvent in binary mode: attributes in the headers, data in the body."""
    attributes = {name[3:]: value for name, value in (message.headers or {}).items() if name.startswith("ce-")}
    return {**attributes, "data": json.loads(message.data)}


async def next_event(client: Client, partner: str, *, linger: bool) -> Msg | None:
    """The next event, or None when the bus says that none is waiting: at once, or with `linger` after a while.

    `fetch` of nats-py would not do: it calls it a timeout, too, when the bus has not answered. Raises a TimeoutError
    then, and a NoRespondersError while the bus has not opened the way to the feed.
    """
    wanted: dict[str, Any] = {"batch": 1}
    wanted |= {"expires": LINGER_SECONDS * 1_000_000_000} if linger else {"no_wait": True}
    patience = LINGER_SECONDS + PATIENCE_SECONDS
    # In the old style, by a subscription for this answer: an event comes with its own subject, and otherwise the client
    # would not know it for the answer.
    answer = await client.request(f"{NEXT}.{partner}", json.dumps(wanted).encode(), timeout=patience, old_style=True)
    match (answer.headers or {}).get("Status"):
        case None:
            return answer
        case "404" | "408":
            return None
        case status:
            raise RuntimeError(f"the bus refuses to give events: {status} {answer.headers}")


def tell(event: dict[str, Any]) -> None:
    """What we do with an event; afterwards it is safe with us."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def read_feed(url: str, partner: str, password: str, *, until_empty: bool) -> None:
    """Prints what comes; with `until_empty` it returns once nothing more is waiting."""
    client = await nats.connect(url, user=partner, password=password)
    # An event that was told but not acknowledged, because the bus went away in between, comes again with the same id.
    told: set[str] = set()
    try:
        while True:
            try:
                message = await next_event(client, partner, linger=not until_empty)
                if message is None:
                    if until_empty:
                        return
                    continue
                event = read_event(message)
                if event["id"] not in told:
                    tell(event)
                    told.add(event["id"])
                # Only now, and confirmed, so that it does not come again.
                await message.ack_sync(timeout=PATIENCE_SECONDS)
            except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
                # The bus restarts, or has heard of this partner a moment ago and has not opened the way yet.
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await client.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("partner")
    arguments.add_argument("--until-empty", action="store_true", help="end when nothing more is waiting")
    asked = arguments.parse_args()
    asyncio.run(read_feed(asked.url, asked.partner, os.environ["FEED_PASSWORD"], until_empty=asked.until_empty))
