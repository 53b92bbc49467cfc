"""Lengths of time as a person types them: `90m`, `2h`, `1d12h`, `10wd`, `P1DT2H`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from bihuanctl.refusal import Refusal
from bihuanctl.texts import Texts

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SHORT = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_SHORT_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_WORKING_DAYS = re.compile(r"(\d+)wd")
# ISO 8601 durations without years and months, whose length depends on where they start.
_ISO = re.compile(
    r"P(?=.)(?:(?P<w>\d+(?:\.\d+)?)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)


@dataclass(frozen=True)
class Duration:
    """Either a fixed length or a number of working days, whose length depends on the calendar."""

    fixed: timedelta = timedelta()
    working_days: int = 0


def parse_duration(text: str) -> Duration:
    """Reads a length of time above zero. Raises Refusal `duration_unreadable`."""
    try:
        duration = _parsed(text.strip())
    except OverflowError:
        duration = None
    if duration is None or duration == Duration():
        raise Refusal("duration_unreadable", text=text)
    return duration


def _parsed(text: str) -> Duration | None:
    if match := _WORKING_DAYS.fullmatch(text):
        return Duration(working_days=int(match[1]))
    if _SHORT.fullmatch(text):
        parts = _SHORT_PART.findall(text)
        return Duration(fixed=sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta()))
    if match := _ISO.fullmatch(text):
        parts = [(number, unit) for unit, number in match.groupdict().items() if number]
        return Duration(fixed=sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta()))
    return None


def spoken(length: timedelta, texts: Texts) -> str:
    """A length with its two largest units: `3d 4h`, `12m 5s`, `1.2s`, `85ms`; in Chinese `3 天 4 小时`."""
    seconds = length.total_seconds()
    if 0 < seconds < 1:
        return texts("duration.ms", count=f"{seconds * 1000:.0f}")
    if seconds < 10:  # noqa: PLR2004 -- with two digits while that says something
        return texts("duration.s", count=f"{seconds:.2g}")
    parts = []
    rest = round(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(texts(f"duration.{unit}", count=count))
    return " ".join(parts[:2])
