"""Waiting on outcomes instead of sleeping, and running parts beside a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from servicekit.tasks import end

_LOOK_AGAIN_SECONDS = 0.01


async def eventually(outcome: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Returns as soon as `outcome` is true; raises TimeoutError when that takes longer than `seconds`, which are many:
    a busy machine must fail no test, and what never comes is seen soon enough."""
    async with asyncio.timeout(seconds):
        while True:
            seen = outcome()
            if seen if isinstance(seen, bool) else await seen:
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


@asynccontextmanager
async def running(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runs the parts as tasks while the block lasts, then cancels them; a part that has failed by then raises."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        await end(tasks)
    for task in tasks:
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure
