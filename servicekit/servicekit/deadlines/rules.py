"""When a clock warns and runs out, and what a pause does to it (INT-07). Pure.

The open time that a clock has used grows only while it runs. Its marks are shares of the limit: the warnings, and 100
percent, when it is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from standards.values import CalendarName

from servicekit.deadlines.calendars import Calendars, DueTime

DUE_PERCENT = 100

_FIRST_RETRY = timedelta(seconds=1)
_LONGEST_RETRY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Run:
    """One stretch in which a clock runs without a pause."""

    limit: timedelta
    calendar: CalendarName
    since: datetime
    used: timedelta = timedelta()
    """Open time that was used before `since`."""

    def reaches(self, percent: int, calendars: Calendars) -> DueTime:
        """When that share of the limit is used; `since` when it already was before."""
        return calendars.add(self.since, self.limit * percent / DUE_PERCENT - self.used, self.calendar)

    def used_at(self, moment: datetime, calendars: Calendars) -> timedelta:
        """Open time used at `moment`; what a pause at that moment keeps."""
        return self.used + calendars.elapsed(self.since, moment, self.calendar)


def next_mark(warn_at: Sequence[int], passed: int) -> int:
    """The mark that follows `passed` percent."""
    return next((percent for percent in sorted(warn_at) if percent > passed), DUE_PERCENT)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the `attempts`-th failure of a handler: doubles from one second up to five minutes."""
    return min(_FIRST_RETRY * float(2 ** min(attempts - 1, 16)), _LONGEST_RETRY)
