"""Ending background tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

# Longer than what a task has to tidy up when it is cancelled; that must not be broken off in its turn.
ASK_AGAIN_SECONDS = 5.0


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels the tasks and returns when every one is over, whatever it ends with.

    They are asked again and again: before Python 3.12 `asyncio.wait_for` swallows a cancellation that arrives together
    with the outcome it waits for, and a loop around it would go on for ever. The client of NATS does the same while it
    connects.
    """
    while going := [task for task in tasks if not task.done()]:
        for task in going:
            task.cancel()
        await asyncio.wait(going, timeout=ASK_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as never retrieved
