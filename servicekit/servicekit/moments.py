"""Moments as people read them: in the business zone, whose days and hours the calendars count (INT-07)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

CHINA_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time zone, UTC+8, without daylight saving."""
ZONE = "UTC+8"
"""How the zone is named beside a moment, in every language alike."""

TIME_FORMAT = "%Y-%m-%d %H:%M"
EXACT_FORMAT = f"{TIME_FORMAT}:%S"
# Where the year goes without saying.
SHORT_FORMAT = "%m-%d %H:%M"


def local(moment: datetime, form: str = EXACT_FORMAT) -> str:
    """A moment with the zone that it is told in: `2026-11-23 00:22:17 UTC+8`."""
    return f"{moment.astimezone(CHINA_TIME):{form}} {ZONE}"
