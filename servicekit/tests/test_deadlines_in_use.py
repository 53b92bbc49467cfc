"""INT-07: marks of a case that somebody is changing wait until it is free, and hold up no others."""

import asyncio
from datetime import timedelta

import pytest
from servicekit.deadlines import DeadlineHandlers, Start
from servicekit.deadlines.firing import BATCH, Firing
from sqlalchemy import text
from structlog.testing import capture_logs

from servicekit import deadlines

FREE, *USED = (f"019a0000-0000-7000-8000-{number:012d}" for number in range(2 * BATCH + 1))
TAKE = "SELECT case_id FROM cases WHERE case_id = ANY($1::text[]) FOR UPDATE SKIP LOCKED"
LOCK = text("SELECT FROM cases WHERE case_id = :case_id FOR UPDATE")
LOCK_USED = text("SELECT FROM cases WHERE case_id <> :free FOR UPDATE")


class Desk:
    """A service whose handlers change the case of their clock."""

    def __init__(self) -> None:
        self.handlers = DeadlineHandlers()
        self.changed: list[tuple[str, int]] = []
        self.begun = asyncio.Event()
        self.handlers.takes_cases(self._take)
        self.handlers.warned("fault_response")(self._change)
        self.handlers.missed("fault_response")(self._change)

    async def _take(self, tx, case_ids):
        return set(case_ids) - {row["case_id"] for row in await tx.fetch(TAKE, list(case_ids))}

    async def _change(self, tx, deadline):
        self.begun.set()
        await tx.execute(LOCK, {"case_id": deadline.case_id})
        self.changed.append((deadline.case_id, deadline.percent))


@pytest.fixture
async def start(database, manual_clock):
    """Cases of these ids, with clocks whose marks have all come, the first id's first."""

    async def start(*case_ids: str) -> None:
        async with database.transaction("create") as tx:
            await tx.execute(text("CREATE TABLE cases (case_id text PRIMARY KEY)"))
            await tx.execute(text("INSERT INTO cases VALUES (:case_id)"), [{"case_id": each} for each in case_ids])
            await deadlines.start(tx, [Start("fault_response", each, case_id=each) for each in case_ids])
        manual_clock.advance(timedelta(days=1))

    return start


async def test_a_use_case_that_ends_the_clocks_of_its_case_and_the_runner_do_not_wait_for_each_other(database, start):
    used, desk = USED[0], Desk()
    await start(used, FREE)
    firing = Firing(database, desk.handlers)

    async def fire_all():
        while await firing.fire_due():
            pass

    with capture_logs() as logs:
        async with database.transaction("use") as tx:
            await tx.execute(LOCK, {"case_id": used})
            runner = asyncio.create_task(fire_all())
            await desk.begun.wait()
            await deadlines.cancel(tx, [used])
            await runner
            assert desk.changed == [(FREE, 50), (FREE, 80), (FREE, 100)]
        await fire_all()
    assert desk.changed[3:] == [(used, 100)], "ended late while in use, and announced after that"
    assert [entry for entry in logs if entry["event"] == "deadlines_isolated"] == []


async def test_more_cases_in_use_than_a_batch_holds_are_told_of_and_hold_up_no_others(database, start):
    desk = Desk()
    await start(*USED, FREE)
    firing = Firing(database, desk.handlers)
    with capture_logs() as logs:
        async with database.transaction("use") as tx:
            await tx.execute(LOCK_USED, {"free": FREE})
            assert [await firing.fire_due() for _ in range(4)] == [1, 1, 1, 0]
    assert desk.changed == [(FREE, 50), (FREE, 80), (FREE, 100)]
    told = [entry for entry in logs if entry["event"] == "deadlines_wait_for_cases_in_use"]
    assert [(entry["marks"], entry["longest_seconds"] > 10) for entry in told] == [(BATCH, True)], "once, not each time"
    assert await firing.fire_due() == BATCH, "when they are free"
