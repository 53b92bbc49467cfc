"""INT-07: calendars, with the Chinese holidays and make-up days."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.deadlines.calendars import Calendars, calendars_of
from servicekit.moments import CHINA_TIME
from standards.models import CalendarYear, OpeningHours

from standards import load

OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "calendar"

CALENDARS = calendars_of(load())
MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2026, 6, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
LIMITS = st.timedeltas(timedelta(0), timedelta(days=40))
NAMES = st.sampled_from(["always", "working_days", "shop_hours"])


def china(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA_TIME)


@given(MOMENTS, LIMITS, NAMES)
def test_elapsed_undoes_add(start, limit, calendar):
    due = CALENDARS.add(start, limit, calendar)
    assert due.moment >= start
    assert CALENDARS.elapsed(start, due.moment, calendar) == limit
    assert not due.provisional


@given(MOMENTS, LIMITS, LIMITS, NAMES)
def test_limits_add_up(start, first, second, calendar):
    """A pause and going on at once changes nothing."""
    at_once = CALENDARS.add(start, first + second, calendar).moment
    in_steps = CALENDARS.add(CALENDARS.add(start, first, calendar).moment, second, calendar).moment
    assert CALENDARS.elapsed(in_steps, at_once, calendar) == timedelta(0)
    assert CALENDARS.elapsed(at_once, in_steps, calendar) == timedelta(0)


@given(MOMENTS, MOMENTS, MOMENTS, NAMES)
def test_elapsed_is_additive(one, two, three, calendar):
    first, middle, last = sorted((one, two, three))
    parts = CALENDARS.elapsed(first, middle, calendar) + CALENDARS.elapsed(middle, last, calendar)
    assert parts == CALENDARS.elapsed(first, last, calendar)


def test_ten_working_days_over_new_year_and_its_make_up_days():
    """Spring Festival 2025: off from 28 January to 4 February, worked on 26 January and 8 February."""
    due = CALENDARS.add(china("2025-01-24T10:00"), timedelta(days=10), "working_days")
    # 24 (from ten), 26, 27 January; 5, 6, 7, 8, 10, 11, 12 February; the last ten hours on the 13th.
    assert due.moment == china("2025-02-13T10:00")


def test_a_weekend_start_counts_from_monday():
    due = CALENDARS.add(china("2026-03-07T15:00"), timedelta(days=1), "working_days")
    assert due.moment == china("2026-03-10T00:00")


def test_shop_hours_stop_at_night():
    due = CALENDARS.add(china("2026-03-06T17:00"), timedelta(hours=2), "shop_hours")
    assert due.moment == china("2026-03-07T10:00")


def test_day_boundaries_are_chinese():
    """16:00 UTC on a Friday is already Saturday in China."""
    assert CALENDARS.elapsed(
        datetime(2026, 3, 6, 15, tzinfo=UTC), datetime(2026, 3, 6, 18, tzinfo=UTC), "working_days"
    ) == timedelta(hours=1)


def test_a_year_without_arrangement_is_provisional():
    """The library knows no 2027: its holidays are expected, its make-up days are not known."""
    due = CALENDARS.add(china("2026-12-28T10:00"), timedelta(days=10), "working_days")
    assert due.provisional
    assert CALENDARS.is_working_day(date(2027, 1, 1)) == (False, True)
    assert not CALENDARS.add(china("2026-12-28T10:00"), timedelta(days=2), "working_days").provisional
    assert not CALENDARS.add(china("2026-12-28T10:00"), timedelta(days=10), "always").provisional


def test_the_standards_can_add_a_year():
    year = CalendarYear.model_validate(
        {
            "name": "2027",
            "effective_from": "2026-11-30",
            "source": "internal",
            "note": "State Council",
            "holidays": ["2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"],
            "make_up_days": ["2027-01-09"],
        }
    )
    hours = OpeningHours.model_validate({"opens": "09:00", "closes": "18:00", "weekdays": [1]})
    arranged = Calendars({2027: year}, hours)
    assert arranged.is_working_day(date(2027, 1, 4)) == (False, False)
    assert arranged.is_working_day(date(2027, 1, 9)) == (True, False)
    assert arranged.is_working_day(date(2027, 1, 10)) == (False, False)
    due = arranged.add(china("2026-12-31T00:00"), timedelta(days=5), "working_days")
    assert due.moment == china("2027-01-09T00:00")
    assert not due.provisional


@pytest.mark.parametrize("year", [2024, 2025])
def test_against_the_published_arrangement(year):
    file = OFFICIAL / f"{year}.json"
    if not file.exists():
        pytest.skip(f"no published arrangement to compare with at {file}")
    published = {date.fromisoformat(day["date"]): day["isOffDay"] for day in json.loads(file.read_text())["days"]}
    day = date(year, 1, 1)
    while day.year == year:
        works = not published[day] if day in published else day.weekday() < 5
        assert CALENDARS.is_working_day(day) == (works, False), day
        day += timedelta(days=1)


@given(MOMENTS, NAMES)
def test_what_is_not_open_opens_before_any_time_has_counted(moment, calendar):
    opens = CALENDARS.next_open(moment, calendar)
    assert opens >= moment
    assert CALENDARS.elapsed(moment, opens, calendar) == timedelta(0)
    assert CALENDARS.elapsed(opens, opens + timedelta(minutes=1), calendar) > timedelta(0)


def test_shops_open_in_the_morning():
    for moment, opens in (
        ("2026-03-02T08:59", "2026-03-02T09:00"),
        ("2026-03-02T12:00", "2026-03-02T12:00"),
        ("2026-03-02T18:00", "2026-03-03T09:00"),
    ):
        assert CALENDARS.next_open(china(moment), "shop_hours") == china(opens)
