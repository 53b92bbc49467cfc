"""Tasks end when they are told to, also those that miss it the first time (TRC-02: a clean stop)."""

from __future__ import annotations

import asyncio

import pytest

from servicekit import tasks


async def test_task_that_swallows_a_cancellation_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ASK_AGAIN_SECONDS", 0.01)
    swallowed = 0

    async def loop() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 2:
                    raise

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    await tasks.end([task])
    assert task.cancelled()
    assert swallowed == 3


async def test_failure_of_an_ended_task_harms_nobody() -> None:
    async def fails() -> None:
        raise RuntimeError("broken")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await tasks.end([task, asyncio.create_task(asyncio.sleep(60))])
    assert isinstance(task.exception(), RuntimeError)
