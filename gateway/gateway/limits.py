"""How many requests one caller may send: a token bucket for each (GWY-01)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from servicekit.errors import Fault

MOST_CALLERS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests per second for ever, and so many at once after a pause."""

    per_second: float
    burst: int


class RateLimits:
    """The buckets of all callers of this process. Whoever was silent for long is forgotten: their bucket is full."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        # What was left, and when: a bucket fills up by arithmetic, not by a timer.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, rate: Rate) -> None:
        """Takes one request out of `caller`'s bucket. Raises Fault rate_limited with the seconds to wait."""
        now = self._now()
        left, at = self._buckets.get(caller, (float(rate.burst), now))
        left = min(float(rate.burst), left + (now - at) * rate.per_second)
        if left < 1:
            raise Fault("rate_limited", retry_after=max(1, math.ceil((1 - left) / rate.per_second)))
        self._buckets[caller] = (left - 1, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
