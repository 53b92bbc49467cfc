"""An appointed time. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bihuan.common.v1.common_pb2 import TimePeriod
from servicekit.deadlines import CHINA_TIME

TIME_FORMAT = "%Y-%m-%d %H:%M"
NONE = "—"


@dataclass(frozen=True, order=True)
class Slot:
    """From `start` up to `end`, both in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: TimePeriod) -> "Slot":
        return cls(period.start_date_time.ToDatetime(UTC), period.end_date_time.ToDatetime(UTC))

    def message(self) -> TimePeriod:
        """As the contracts write it."""
        return TimePeriod(start_date_time=self.start, end_date_time=self.end)

    def __str__(self) -> str:
        """As people in China read it."""
        begins, ends = self.start.astimezone(CHINA_TIME), self.end.astimezone(CHINA_TIME)
        return f"{begins.strftime(TIME_FORMAT)}–{ends.strftime('%H:%M')}"


def shown(periods: Iterable[TimePeriod]) -> str:
    """Several, as people read them; a dash for none."""
    return "; ".join(str(Slot.of(period)) for period in periods) or NONE
