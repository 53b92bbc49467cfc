"""A partner reads its feed: every event since it last looked, each once it is safe, as a line of JSON.

    FEED_PASSWORD=… python read_feed.py nats://127.0.0.1:4222 partner-demo [--until-empty]

Needs `pip install nats-py`. The durable consumer has the partner's name and was made by the platform; it remembers what
was acknowledged, so that after a day away this goes on where it ended. What a reader that died had in hand comes again
after 30 s, and is not waiting until then.

While the bus can't be had, this says so on standard error and tries again: for ever, or with `--until-empty` a few
times, because a wrong name or password looks the same; then it ends with status 1.

It fetches one event at a time, which is simplest, and costs two ways to the bus and back for each. Whoever has many may
fetch more at a time: `await client.jetstream().pull_subscribe_bind(durable=partner, stream="BIHUAN_FEEDS")` gives a
subscription, and `await subscription.fetch(100)` up to 100 events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

NEXT = "$JS.API.CONSUMER.MSG.NEXT.BIHUAN_FEEDS"
# How long the bus waits for an event before it says that there is none.
LINGER_SECONDS = 2
# How long an answer may take on a busy machine or line. Silence is never taken for an empty feed.
PATIENCE_SECONDS = 10
PAUSE_SECONDS = 1.0
# How often in a row it may go wrong with `--until-empty`.
TRIES = 4


def read_event(message: Msg) -> dict[str, Any]:
    """A CloudEvent in binary mode: attributes in the headers, data in the body."""
    attributes = {name[3:]: value for name, value in (message.headers or {}).items() if name.startswith("ce-")}
    return {**attributes, "data": json.loads(message.data)}


async def next_event(client: Client, partner: str, *, linger: bool) -> Msg | None:
    """The next event, or None when the bus says that none is waiting: at once, or with `linger` after a while.

    `fetch` of nats-py would not do: it calls it a timeout, too, when the bus has not answered. Raises an error of nats
    when the bus gives none at the moment, and a RuntimeError when it won't ever.
    """
    wanted: dict[str, Any] = {"batch": 1}
    wanted |= {"expires": LINGER_SECONDS * 1_000_000_000} if linger else {"no_wait": True}
    patience = LINGER_SECONDS + PATIENCE_SECONDS
    # In the old style, by a subscription for this answer: an event comes with its own subject, and otherwise the client
    # would not know it for the answer.
    answer = await client.request(f"{NEXT}.{partner}", json.dumps(wanted).encode(), timeout=patience, old_style=True)
    headers = answer.headers or {}
    status, reason = headers.get("Status"), headers.get("Description", "")
    if status is None:
        return answer
    if status in {"404", "408"}:
        return None
    if status == "409" and reason != "Consumer Deleted":
        # Such as `Server Shutdown` or `Leadership Change`: the bus restarts or moves the feed.
        raise nats.errors.Error(f"nats: {reason}")
    raise RuntimeError(f"the bus refuses to give events: {status} {reason}")


def tell(event: dict[str, Any]) -> None:
    """What we do with an event; afterwards it is safe with us."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def complain(trouble: Exception) -> None:
    """Says what is waited for, or what the bus has refused."""
    sys.stderr.write(f"{type(trouble).__name__}: {trouble}\n")


async def connect(client: Client, url: str, partner: str, password: str) -> None:
    """Connects for as long as the bus stays: when it goes away `read_feed` waits and begins anew."""
    once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": PAUSE_SECONDS}
    await client.connect(url, user=partner, password=password, error_cb=complain, **once)


async def take_event(message: Msg, told: set[str]) -> None:
    """Tells of the event unless it is among `told`: those that were told, and are not known to be acknowledged."""
    event = read_event(message)
    if event["id"] not in told:
        tell(event)
        told.add(event["id"])
    # Only now, and confirmed, so that it does not come again.
    await message.ack_sync(timeout=PATIENCE_SECONDS)
    told.remove(event["id"])


async def read_feed(url: str, partner: str, password: str, *, until_empty: bool) -> None:
    """Prints what comes; with `until_empty` it returns once nothing more is waiting, or raises a RuntimeError."""
    # What was told when the bus went away comes again with the same id.
    told: set[str] = set()
    failed = 0
    while True:
        try:
            async with Client() as client:
                await connect(client, url, partner, password)
                while True:
                    message = await next_event(client, partner, linger=not until_empty)
                    failed = 0
                    if message:
                        await take_event(message, told)
                    elif until_empty:
                        return
        except (nats.errors.Error, OSError) as trouble:
            # The bus restarts, or has heard of this partner a moment ago and has not opened the way yet.
            await complain(trouble)
            failed += 1
            if until_empty and failed == TRIES:
                raise RuntimeError(f"the feed of {partner} can't be read: {trouble}") from trouble
            await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("partner")
    arguments.add_argument("--until-empty", action="store_true", help="end when nothing more is waiting")
    asked = arguments.parse_args()
    try:
        asyncio.run(read_feed(asked.url, asked.partner, os.environ["FEED_PASSWORD"], until_empty=asked.until_empty))
    except RuntimeError as refused:
        sys.exit(str(refused))
