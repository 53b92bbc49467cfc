"""The times at which visits can begin and end: slots of equal length within shop hours (DSP-05). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bihuan.common.v1.common_pb2 import TimePeriod
from servicekit.deadlines import CHINA_TIME
from servicekit.errors import Fault

from dispatch.policy import SlotPolicy

TIME_FORMAT = "%Y-%m-%d %H:%M"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """From `start` up to `end`, both in UTC."""

    start: datetime
    end: datetime

    def covers(self, other: "Window") -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Window") -> bool:
        return self.start < other.end and other.start < self.end

    def message(self) -> TimePeriod:
        """As the contracts write it."""
        return TimePeriod(start_date_time=self.start, end_date_time=self.end)

    def __str__(self) -> str:
        """As people in China read it."""
        begins, ends = self.start.astimezone(CHINA_TIME), self.end.astimezone(CHINA_TIME)
        return f"{begins.strftime(TIME_FORMAT)}–{ends.strftime('%H:%M')}"


def window_of(period: TimePeriod) -> Window:
    """The window that a contract's time period says."""
    return Window(period.start_date_time.ToDatetime(UTC), period.end_date_time.ToDatetime(UTC))


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
