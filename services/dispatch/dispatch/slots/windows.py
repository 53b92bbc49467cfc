"""The times at which visits can begin and end: slots of equal length within shop hours (DSP-05). Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from servicekit.errors import Fault
from servicekit.moments import CHINA_TIME, TIME_FORMAT
from servicekit.windows import Window

from dispatch.policy import SlotPolicy

_ONE_DAY = timedelta(days=1)


def windows_between(first: datetime, last: datetime, policy: SlotPolicy) -> Iterator[Window]:
    """Every slot that begins from `first` up to and including `last`, in order."""
    day = first.astimezone(CHINA_TIME).date()
    while day <= last.astimezone(CHINA_TIME).date():
        yield from (window for window in _windows_of(day, policy) if first <= window.start <= last)
        day += _ONE_DAY


def bookable_windows(now: datetime, policy: SlotPolicy, *, not_before: datetime | None = None) -> Iterator[Window]:
    """The slots that can be held at this moment: far enough ahead for the reminder, and not beyond the horizon."""
    earliest = now + policy.lead
    return windows_between(max(earliest, not_before or earliest), now + policy.horizon, policy)


def require_bookable(start: datetime, now: datetime, policy: SlotPolicy) -> Window:
    """The slot that begins at `start`.

    Raises Fault slot_out_of_reach for one that is too near, past or too far, slot_unknown where none begins then.
    """
    earliest, latest = now + policy.lead, now + policy.horizon
    if not earliest <= start <= latest:
        shown = {
            name: moment.astimezone(CHINA_TIME).strftime(TIME_FORMAT)
            for name, moment in (("earliest", earliest), ("latest", latest))
        }
        raise Fault("slot_out_of_reach", field="start_date_time", **shown)
    window = next(windows_between(start, start, policy), None)
    if window is None:
        raise Fault("slot_unknown", field="start_date_time")
    return window


def _windows_of(day: date, policy: SlotPolicy) -> Iterator[Window]:
    if day.isoweekday() not in policy.hours.weekdays:
        return
    start = datetime.combine(day, policy.hours.opens, CHINA_TIME).astimezone(UTC)
    closes = datetime.combine(day, policy.hours.closes, CHINA_TIME)
    while start + policy.length <= closes:
        yield Window(start, start + policy.length)
        start += policy.length
