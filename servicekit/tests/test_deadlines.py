"""INT-05, INT-07: clocks in a real database: started, ended, paused, fired once, and never lost."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from bihuan.common.v1 import common_pb2
from servicekit.database.tables import outbox
from servicekit.deadlines import Calendars, DeadlineHandlers, Start, calendars_of
from servicekit.deadlines.firing import Firing
from servicekit.deadlines.recalculation import settle_provisional
from servicekit.deadlines.tables import deadlines as table
from sqlalchemy import select
from standards.models import CalendarYear

from servicekit import deadlines
from standards import load

CASE = "019a0000-0000-7000-8000-000000000001"
HOUR = timedelta(hours=1)
State = common_pb2.ClockState


async def start_clocks(database, *clocks, subject=CASE, at=None):
    async with database.transaction("start") as tx:
        starts = [Start(clock, subject, case_id=subject, responsible="duty") for clock in clocks]
        await deadlines.start(tx, starts, at=at)


async def run_in(database, command, *arguments):
    async with database.transaction("change") as tx:
        return await command(tx, *arguments)


async def clocks_of(database, subject=CASE):
    found = await run_in(database, deadlines.of, [subject])
    return {clock.name: clock for clock in found[subject]}


async def fire_all(database, handlers=None):
    firing = Firing(database, handlers or DeadlineHandlers())
    while await firing.fire_due():
        pass


async def events(database):
    async with database.transaction("read") as tx:
        rows = await tx.execute(select(outbox.c.subject, outbox.c.body).order_by(outbox.c.id))
        return [(row.subject, row.body.decode()) for row in rows]


async def test_limits_come_from_the_standards(database, manual_clock):
    await start_clocks(database, "fault_response", "assessment")
    clocks = await clocks_of(database)
    now = manual_clock.now()
    assert clocks["fault_response"].due_at.ToDatetime(UTC) == now + 4 * HOUR
    assert clocks["assessment"].due_at.ToDatetime(UTC) == now + 48 * HOUR
    assert clocks["assessment"].state == State.CLOCK_STATE_RUNNING


async def test_an_unknown_clock_is_refused(database):
    with pytest.raises(KeyError):
        await start_clocks(database, "coffee")


async def test_one_clock_of_a_name_runs_at_a_time(database):
    await start_clocks(database, "handling")
    with pytest.raises(asyncpg.UniqueViolationError):
        await start_clocks(database, "handling")
    await run_in(database, deadlines.meet, [CASE], ["handling"])
    await start_clocks(database, "handling")


async def test_met_in_time(database, manual_clock):
    await start_clocks(database, "fault_response")
    manual_clock.advance(3 * HOUR)
    await run_in(database, deadlines.meet, [CASE], ["fault_response", "never_started"])
    manual_clock.advance(3 * HOUR)
    await fire_all(database)
    clock = (await clocks_of(database))["fault_response"]
    assert clock.state == State.CLOCK_STATE_MET
    assert clock.ended_at.ToDatetime(UTC) == manual_clock.now() - 3 * HOUR
    assert await events(database) == []


async def test_marks_fire_in_order_after_a_long_absence(database, manual_clock):
    """The service was down past all marks: each still fires once, in order, with the state it had reached."""
    seen = []
    handlers = DeadlineHandlers()

    async def note(tx, deadline):
        clock = (await deadlines.of(tx, [deadline.subject_id]))[deadline.subject_id][0]
        seen.append((deadline.percent, clock.state, clock.warned_percent))

    handlers.warned("fault_response")(note)
    handlers.missed("fault_response")(note)
    await start_clocks(database, "fault_response")
    manual_clock.advance(timedelta(days=3))
    await fire_all(database, handlers)
    assert seen == [
        (50, State.CLOCK_STATE_RUNNING, 50),
        (80, State.CLOCK_STATE_RUNNING, 80),
        (100, State.CLOCK_STATE_MISSED, 80),
    ]
    subjects = [subject for subject, _ in await events(database)]
    assert subjects == ["bihuan.intake.clock.warned.v1"] * 2 + ["bihuan.intake.clock.missed.v1"]
    assert '"responsible":"duty"' in (await events(database))[-1][1]


async def test_a_missed_clock_stays_missed_when_done_late(database, manual_clock):
    await start_clocks(database, "fault_response")
    manual_clock.advance(5 * HOUR)
    await fire_all(database)
    clock = (await clocks_of(database))["fault_response"]
    assert (clock.state, clock.ended_at) == (State.CLOCK_STATE_MISSED, clock.due_at)
    await run_in(database, deadlines.meet, [CASE], ["fault_response"])
    clock = (await clocks_of(database))["fault_response"]
    assert clock.state == State.CLOCK_STATE_MISSED
    assert clock.ended_at.ToDatetime(UTC) == manual_clock.now()


@pytest.mark.parametrize("end", [deadlines.meet, deadlines.cancel])
@pytest.mark.parametrize(("late", "times"), [(HOUR, 1), (0 * HOUR, 2)])
async def test_ended_late_before_the_runner_came_is_missed_and_announced(database, manual_clock, end, late, times):
    """Also when it is ended in the very moment it is due, and then again."""
    await start_clocks(database, "fault_response")
    manual_clock.advance(4 * HOUR + late)
    for _ in range(times):
        await run_in(database, end, [CASE], ["fault_response"])
    done_late = []
    handlers = DeadlineHandlers()

    @handlers.missed("fault_response")
    async def missed(tx, deadline):
        done_late.append(deadline.done_late_at)

    await fire_all(database, handlers)
    assert done_late == [manual_clock.now()]
    assert (await clocks_of(database))["fault_response"].state == State.CLOCK_STATE_MISSED
    assert [subject for subject, _ in await events(database)] == ["bihuan.intake.clock.missed.v1"]


async def test_cancel_ends_every_clock_of_the_subject(database, manual_clock):
    await start_clocks(database, "fault_response", "assessment")
    await run_in(database, deadlines.pause, [CASE])
    await run_in(database, deadlines.cancel, [CASE])
    states = {clock.state for clock in (await clocks_of(database)).values()}
    assert states == {State.CLOCK_STATE_CANCELLED}


async def test_pause_stops_the_clock_and_resume_gives_back_what_was_left(database, manual_clock):
    await start_clocks(database, "fault_response")
    manual_clock.advance(3 * HOUR)
    await fire_all(database)
    await run_in(database, deadlines.pause, [CASE])
    paused = (await clocks_of(database))["fault_response"]
    assert paused.state == State.CLOCK_STATE_PAUSED
    assert not paused.HasField("due_at")
    manual_clock.advance(timedelta(days=9))
    await fire_all(database)
    await run_in(database, deadlines.resume, [CASE])
    resumed = (await clocks_of(database))["fault_response"]
    assert resumed.due_at.ToDatetime(UTC) == manual_clock.now() + HOUR
    assert resumed.warned_percent == 50
    manual_clock.advance(timedelta(minutes=12))
    await fire_all(database)
    assert (await clocks_of(database))["fault_response"].warned_percent == 80


async def test_a_clock_whose_time_is_over_is_not_saved_by_a_pause(database, manual_clock):
    await start_clocks(database, "fault_response")
    manual_clock.advance(4 * HOUR)
    await run_in(database, deadlines.pause, [CASE])
    await fire_all(database)
    assert (await clocks_of(database))["fault_response"].state == State.CLOCK_STATE_MISSED


async def test_reassigned_clocks_name_the_new_responsible(database, manual_clock):
    await start_clocks(database, "fault_response")
    await run_in(database, deadlines.reassign, CASE, "li.na")
    manual_clock.advance(4 * HOUR)
    await fire_all(database)
    assert '"responsible":"li.na"' in (await events(database))[-1][1]


async def test_a_failing_handler_holds_up_nothing_else(database, manual_clock):
    """It is put off and tried again; its own effects and event are undone until it succeeds."""
    handlers = DeadlineHandlers()
    broken = [True]

    @handlers.missed("fault_response")
    async def escalate(tx, deadline):
        await deadlines.start(tx, [Start("handling", deadline.subject_id)])
        if deadline.subject_id == CASE and broken[0]:
            raise RuntimeError("not ready")

    await start_clocks(database, "fault_response")
    await start_clocks(database, "fault_response", subject="other")
    manual_clock.advance(4 * HOUR)
    await fire_all(database, handlers)
    assert (await clocks_of(database, "other"))["fault_response"].state == State.CLOCK_STATE_MISSED
    clocks = await clocks_of(database)
    assert clocks["fault_response"].state == State.CLOCK_STATE_RUNNING
    assert "handling" not in clocks
    assert await run_in(database, deadlines.count_overdue) == 1
    missed = [body for subject, body in await events(database) if "missed" in subject]
    assert len(missed) == 1

    broken[0] = False
    manual_clock.advance(timedelta(seconds=1))
    await fire_all(database, handlers)
    clocks = await clocks_of(database)
    assert clocks["fault_response"].state == State.CLOCK_STATE_MISSED
    assert "handling" in clocks


async def test_a_warning_that_keeps_failing_does_not_hold_up_the_miss(database, manual_clock):
    handlers = DeadlineHandlers()
    missed = []

    @handlers.warned("fault_response")
    async def warn(tx, deadline):
        raise RuntimeError("broken")

    @handlers.missed("fault_response")
    async def miss(tx, deadline):
        missed.append(deadline.subject_id)

    await start_clocks(database, "fault_response")
    manual_clock.advance(2 * HOUR)
    await fire_all(database, handlers)
    manual_clock.advance(2 * HOUR)
    await fire_all(database, handlers)
    assert missed == [CASE]
    assert [subject.split(".")[3] for subject, _ in await events(database)] == ["warned", "warned", "missed"]


async def test_a_use_case_that_holds_the_case_does_not_wait_for_the_runner(database, manual_clock):
    """Use case: case, then clock. Runner: clock, then case. The runner gives way."""
    await start_clocks(database, "fault_response")
    await start_clocks(database, "handling", subject="the-case-row")
    manual_clock.advance(4 * HOUR)
    handlers = DeadlineHandlers()
    reached = asyncio.Event()
    tries = []

    @handlers.missed("fault_response")
    async def escalate(tx, deadline):
        tries.append(deadline)
        reached.set()
        await deadlines.reassign(tx, "the-case-row", "supervisor")

    async with database.transaction("use case") as tx:
        await deadlines.reassign(tx, "the-case-row", "agent")
        running = asyncio.create_task(fire_all(database, handlers))
        await reached.wait()
        await deadlines.meet(tx, [CASE], ["fault_response"])
    await running
    manual_clock.advance(HOUR)
    await fire_all(database, handlers)
    assert len(tries) >= 2
    assert (await clocks_of(database))["fault_response"].state == State.CLOCK_STATE_MISSED
    missed = [body for subject, body in await events(database) if "missed" in subject]
    assert len(missed) == 1


async def test_replicas_share_the_work_and_fire_each_mark_once(database, manual_clock):
    fired = []
    handlers = DeadlineHandlers()

    @handlers.missed("fault_response")
    async def miss(tx, deadline):
        fired.append(deadline.subject_id)

    async with database.transaction("start") as tx:
        await deadlines.start(tx, [Start("fault_response", f"case-{number}") for number in range(700)])
    manual_clock.advance(4 * HOUR)
    await asyncio.gather(*(fire_all(database, handlers) for _ in range(3)))
    await fire_all(database, handlers)
    assert sorted(fired) == sorted(f"case-{number}" for number in range(700))
    assert len(await events(database)) == 700 * 3


async def test_a_guessed_due_time_is_settled_when_the_year_is_arranged(database, manual_clock):
    await start_clocks(database, "complaint_result", at=datetime(2026, 12, 30, 1, tzinfo=UTC))
    assert (await clocks_of(database))["complaint_result"].provisional
    assert await run_in(database, settle_provisional, calendars_of(load())) == 0

    year = CalendarYear(
        name="2027",
        effective_from=date(2026, 12, 1),
        source="internal",
        note="Arranged",
        holidays=[date(2027, 1, day) for day in range(1, 11)],
    )
    arranged = Calendars({2027: year}, load().calendars.calendars["shop_hours"].hours)
    guessed = (await clocks_of(database))["complaint_result"].due_at.ToDatetime(UTC)
    assert await run_in(database, settle_provisional, arranged) == 1
    settled = (await clocks_of(database))["complaint_result"]
    assert not settled.provisional
    assert settled.due_at.ToDatetime(UTC) > guessed


async def test_counts_for_the_operator(database, manual_clock):
    await start_clocks(database, "fault_response", "assessment")
    manual_clock.advance(4 * HOUR)
    await fire_all(database)
    counts = await run_in(database, deadlines.count)
    assert counts.running == 1
    assert await run_in(database, deadlines.count_overdue) == 0
    assert {(item.clock, item.state): item.count for item in counts.by_state} == {
        ("fault_response", "missed"): 1,
        ("fault_response", "warned"): 1,
        ("assessment", "running"): 1,
    }


async def test_the_firing_query_uses_its_index(database):
    async with database.transaction("plan") as tx:
        await tx.execute(table.select().limit(1))
        await tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = await tx.connection.exec_driver_sql(
            "EXPLAIN SELECT id FROM deadlines WHERE fires_at <= now() ORDER BY fires_at, id LIMIT 200"
        )
        assert "deadlines_firing" in "\n".join(plan.scalars())
