"""A span of time that people agree on, such as an appointed one: between services, in rules, and as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bihuan.common.v1.common_pb2 import TimePeriod

from servicekit.moments import CHINA_TIME, TIME_FORMAT


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """From `start` up to `end`, both in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: TimePeriod) -> Self:
        """The window that a contract's time period says."""
        return cls(period.start_date_time.ToDatetime(UTC), period.end_date_time.ToDatetime(UTC))

    def covers(self, other: Window) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Window) -> bool:
        return self.start < other.end and other.start < self.end

    def message(self) -> TimePeriod:
        """As the contracts write it."""
        return TimePeriod(start_date_time=self.start, end_date_time=self.end)

    def __str__(self) -> str:
        """As people in China read it."""
        begins, ends = self.start.astimezone(CHINA_TIME), self.end.astimezone(CHINA_TIME)
        return f"{begins.strftime(TIME_FORMAT)}–{ends.strftime('%H:%M')}"
