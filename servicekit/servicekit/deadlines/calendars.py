"""The calendars that clocks run on (INT-07): round the clock, Chinese working days, shop hours.

A limit counts only the time in which its calendar is open; an open day counts 24 hours on working days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache

import chinese_calendar
from standards.models import CalendarYear, OpeningHours
from standards.values import CalendarName

from servicekit.moments import CHINA_TIME
from standards import Standards

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DueTime:
    """When a limit is used up. `provisional`: it rests on a year whose arrangement is not published yet."""

    moment: datetime
    provisional: bool = False


class Calendars:
    """All calendars, with the years that the standards add to those the library knows."""

    def __init__(self, years: dict[int, CalendarYear], hours: OpeningHours) -> None:
        self._years = years
        self._hours = hours

    def add(self, start: datetime, limit: timedelta, calendar: CalendarName) -> DueTime:
        """The first moment at which `limit` of open time has passed since `start`."""
        if calendar == "always" or limit <= timedelta():
            return DueTime(start + max(limit, timedelta()))
        left, provisional = limit, False
        for opens, closes, guessed in self._open_times(start, calendar):
            provisional = provisional or guessed
            if left <= closes - opens:
                return DueTime((opens + left).astimezone(UTC), provisional)
            left -= closes - opens
        raise AssertionError("open times never end")

    def elapsed(self, start: datetime, end: datetime, calendar: CalendarName) -> timedelta:
        """The open time between two moments; zero when `end` is not after `start`."""
        if end <= start:
            return timedelta()
        if calendar == "always":
            return end - start
        total = timedelta()
        for opens, closes, _ in self._open_times(start, calendar):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total

    def next_open(self, moment: datetime, calendar: CalendarName) -> datetime:
        """`moment` itself while the calendar is open, else when it opens next."""
        if calendar == "always":
            return moment
        return next(self._open_times(moment, calendar))[0].astimezone(UTC)

    def is_working_day(self, day: date) -> tuple[bool, bool]:
        """Whether people work on that day, and whether that is only a guess."""
        if year := self._years.get(day.year):
            return day in year.make_up_days or (day.weekday() < _SATURDAY and day not in year.holidays), False
        try:
            return chinese_calendar.is_workday(day), False
        except NotImplementedError:
            # Holidays follow from the calendar; make-up days are decided each year and can't be guessed.
            return day.weekday() < _SATURDAY and day not in _expected_holidays(day.year), True

    def _open_times(self, start: datetime, calendar: CalendarName) -> Iterator[tuple[datetime, datetime, bool]]:
        """From `start` on: opening, closing, and whether the days up to there are partly guessed."""
        local = start.astimezone(CHINA_TIME)
        day, guessed = local.date(), False
        while True:
            midnight = datetime.combine(day, time(), CHINA_TIME)
            opens, closes = midnight, midnight + _ONE_DAY
            if calendar == "shop_hours":
                is_open = day.isoweekday() in self._hours.weekdays
                opens = datetime.combine(day, self._hours.opens, CHINA_TIME)
                closes = datetime.combine(day, self._hours.closes, CHINA_TIME)
            else:
                is_open, guess = self.is_working_day(day)
                guessed = guessed or guess
            if is_open and local < closes:
                yield max(opens, local), closes, guessed
            day += _ONE_DAY


@lru_cache(maxsize=8)
def calendars_of(standards: Standards) -> Calendars:
    """The calendars as the standards arrange them."""
    hours = standards.calendars.calendars["shop_hours"].hours
    assert hours is not None, "the standards check that the shop's calendar has hours"
    return Calendars({int(year): arranged for year, arranged in standards.calendars.years.items()}, hours)


@cache
def _expected_holidays(year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 -- costs 0.1 s at start, and only years without an arrangement need it

    return frozenset(holidays.country_holidays("CN", years=year))
