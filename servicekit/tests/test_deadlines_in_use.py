"""INT-07: marks of a case that somebody is changing wait until it is free, and hold up no others."""

import asyncio
from datetime import timedelta

from servicekit.deadlines import DeadlineHandlers, Start
from servicekit.deadlines.firing import Firing
from sqlalchemy import text
from structlog.testing import capture_logs

from servicekit import deadlines

USED, FREE = "019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002"
TAKE = """
WITH taken AS (SELECT case_id FROM cases WHERE case_id = ANY($1::text[]) FOR UPDATE SKIP LOCKED)
SELECT case_id FROM cases WHERE case_id = ANY($1::text[]) AND case_id NOT IN (SELECT case_id FROM taken)
"""
LOCK = text("SELECT FROM cases WHERE case_id = :case_id FOR UPDATE")


async def test_a_use_case_that_ends_the_clocks_of_its_case_and_the_runner_do_not_wait_for_each_other(
    database, manual_clock
):
    handlers, changed, begun = DeadlineHandlers(), [], asyncio.Event()

    @handlers.takes_cases
    async def take(tx, case_ids):
        return {row["case_id"] for row in await tx.fetch(TAKE, list(case_ids))}

    @handlers.warned("fault_response")
    @handlers.missed("fault_response")
    async def change_the_case(tx, deadline):
        begun.set()
        await tx.execute(LOCK, {"case_id": deadline.case_id})
        changed.append((deadline.case_id, deadline.percent))

    async with database.transaction("create") as tx:
        await tx.execute(text("CREATE TABLE cases (case_id text PRIMARY KEY)"))
        await tx.execute(text("INSERT INTO cases VALUES (:case_id)"), [{"case_id": USED}, {"case_id": FREE}])
        await deadlines.start(tx, [Start("fault_response", case_id, case_id=case_id) for case_id in (USED, FREE)])
    manual_clock.advance(timedelta(days=1))
    firing = Firing(database, handlers)

    async def fire_all():
        while await firing.fire_due():
            pass

    with capture_logs() as logs:
        async with database.transaction("use") as tx:
            await tx.execute(LOCK, {"case_id": USED})
            runner = asyncio.create_task(fire_all())
            await begun.wait()
            await deadlines.cancel(tx, [USED])
            await runner
            assert changed == [(FREE, 50), (FREE, 80), (FREE, 100)]
        await fire_all()
    assert changed[3:] == [(USED, 100)], "ended late while in use, and announced after that"
    assert [entry for entry in logs if entry["event"] == "deadlines_isolated"] == []
