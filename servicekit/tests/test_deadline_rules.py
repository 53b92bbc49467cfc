"""INT-07: warning marks, pauses and retries."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from servicekit.deadlines.calendars import calendars_of
from servicekit.deadlines.rules import Run, next_mark, retry_delay

from standards import load

CALENDARS = calendars_of(load())
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
NAMES = st.sampled_from(["always", "working_days", "shop_hours"])
LIMITS = st.timedeltas(timedelta(seconds=1), timedelta(days=20))
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=20))


def test_marks_follow_each_other():
    assert [next_mark((50, 80), passed) for passed in (0, 50, 80)] == [50, 80, 100]
    assert next_mark((), 0) == 100


@given(LIMITS, NAMES)
def test_marks_come_in_order(limit, calendar):
    run = Run(limit, calendar, START)
    half, most, due = (run.reaches(percent, CALENDARS).moment for percent in (50, 80, 100))
    assert START <= half <= most <= due


@given(LIMITS, LENGTHS, LENGTHS, NAMES)
def test_a_pause_uses_nothing_of_the_limit(limit, before, pause, calendar):
    first = Run(limit, calendar, START)
    paused_at = min(START + before, first.reaches(100, CALENDARS).moment)
    used = first.used_at(paused_at, CALENDARS)
    resumed_at = paused_at + pause
    second = Run(limit, calendar, resumed_at, used)
    due = second.reaches(100, CALENDARS).moment
    assert used + CALENDARS.elapsed(resumed_at, due, calendar) == limit
    assert due >= first.reaches(100, CALENDARS).moment


@given(LIMITS, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_a_mark_passed_before_the_pause_comes_at_once(limit, pause):
    resumed_at = START + limit + pause
    run = Run(limit, "always", resumed_at, used=limit * 0.6)
    assert run.reaches(50, CALENDARS).moment == resumed_at


def test_retries_slow_down_to_five_minutes():
    delays = [retry_delay(attempts) for attempts in range(1, 40)]
    assert delays[0] == timedelta(seconds=1)
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(minutes=5)
