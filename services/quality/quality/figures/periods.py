"""Days, weeks, months, quarters and years of China, by their names in ISO 8601 (QLT-02). Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from servicekit.errors import Fault
from servicekit.moments import CHINA_TIME
from standards.indicators import PeriodKind

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FORMS: dict[PeriodKind, re.Pattern[str]] = {
    "day": re.compile(r"(\d{4})-(\d\d)-(\d\d)"),
    "week": re.compile(r"(\d{4})-W(\d\d)"),
    "month": re.compile(r"(\d{4})-(\d\d)"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "year": re.compile(r"(\d{4})"),
}


@dataclass(frozen=True)
class Period:
    """From `first` to before `after`, days in China."""

    kind: PeriodKind
    first: date
    after: date

    @property
    def name(self) -> str:
        """`2026-11-22`, `2026-W47`, `2026-11`, `2026-Q4`, `2026`."""
        match self.kind:
            case "day":
                return self.first.isoformat()
            case "week":
                year, week, _ = self.first.isocalendar()
                return f"{year:04}-W{week:02}"
            case "month":
                return f"{self.first:%Y-%m}"
            case "quarter":
                return f"{self.first:%Y}-Q{(self.first.month + 2) // 3}"
            case "year":
                return f"{self.first:%Y}"

    @property
    def begins(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment that no longer belongs to it."""
        return _midnight(self.after)


def period_at(kind: PeriodKind, moment: datetime) -> Period:
    """The period of this kind that a moment lies in."""
    return _around(kind, moment.astimezone(CHINA_TIME).date())


def read_period(text: str) -> Period:
    """The period of a name. Raises Fault period_invalid."""
    for kind, form in _FORMS.items():
        if found := form.fullmatch(text):
            numbers = [int(number) for number in found.groups()]
            try:
                return _around(kind, _day_in(kind, numbers))
            except (ValueError, OverflowError):
                break
    raise Fault("period_invalid", field="period", period=text)


def _day_in(kind: PeriodKind, numbers: list[int]) -> date:
    if kind == "week":
        return date.fromisocalendar(numbers[0], numbers[1], 1)
    if kind == "quarter":
        return date(numbers[0], numbers[1] * 3, 1)
    year, month, day = [*numbers, 1, 1][:3]
    return date(year, month, day)


def _around(kind: PeriodKind, day: date) -> Period:
    if kind == "day":
        return Period(kind, day, day + timedelta(days=1))
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(days=7))
    months = _MONTHS[kind]
    first = (day.month - 1) // months * months
    beyond = day.year * 12 + first + months
    return Period(kind, date(day.year, first + 1, 1), date(beyond // 12, beyond % 12 + 1, 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA_TIME).astimezone(UTC)
