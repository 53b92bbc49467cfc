"""One line of a log, whoever wrote it: our processes write JSON, PostgreSQL and NATS their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text
from servicekit.moments import ZONE, local

_LEVEL_STYLES = {"debug": "dim", "info": "", "warning": "yellow", "error": "bold red", "critical": "bold red"}
# Fields with a place of their own in the line, and ids that only machines read.
_PLACED = {"timestamp", "level", "event", "service", "logger", "span_id"}
# `13:25:53.768 UTC+8`
_TIME_WIDTH = len("00:00:00.000 ") + len(ZONE)
_TIME = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)")


@dataclass(frozen=True)
class LogLine:
    """A line taken apart as far as it could be read."""

    process: str
    # UTC, as RFC 3339; empty when the line says none.
    timestamp: str
    level: str
    text: str
    fields: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"process": self.process, "timestamp": self.timestamp, "level": self.level, "event": self.text} | {
            "fields": self.fields
        }

    def rendered(self) -> Text:
        """The line as a person reads it."""
        line = Text.assemble(
            (f"{_time_of_day(self.timestamp):<{_TIME_WIDTH}} ", "dim"),
            (f"{self.process:<10} ", "cyan"),
            (self.text, _LEVEL_STYLES.get(self.level, "")),
        )
        exception = None
        for name, value in self.fields.items():
            if name == "exception":
                exception = value
            else:
                shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                line.append(f" {name}=", "dim")
                line.append(shown)
        if exception:
            line.append(f"\n{exception}", "dim red")
        return line


def parse_line(process: str, text: str) -> LogLine:
    """Reads one line; what is not JSON is taken as it stands."""
    text = text.rstrip("\n")
    if text.startswith("{"):
        try:
            entry = json.loads(text)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and "event" in entry:
            return LogLine(
                process=process,
                timestamp=str(entry.get("timestamp", "")),
                level=str(entry.get("level", "info")),
                text=str(entry["event"]),
                fields={name: value for name, value in entry.items() if name not in _PLACED},
            )
    time = _TIME.search(text)
    # In the form that ours have, so that lines of different processes can be put in order; both servers log in UTC.
    timestamp = time[0].replace("/", "-").replace(" ", "T") + "Z" if time else ""
    return LogLine(process, timestamp, _level_in(text), text)


def in_order(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines of several processes as one story; a line without a time stays behind the one before it."""
    latest: dict[str, str] = {}
    placed: list[tuple[str, LogLine]] = []
    for line in lines:
        latest[line.process] = line.timestamp or latest.get(line.process, "")
        placed.append((latest[line.process], line))
    return [line for _, line in sorted(placed, key=lambda pair: pair[0].removesuffix("Z"))]


def _time_of_day(timestamp: str) -> str:
    """In the business zone, to the millisecond; empty for a line without a time, or with one that no calendar has."""
    if not _TIME.search(timestamp):
        return ""
    try:
        moment = datetime.fromisoformat(timestamp)
        return local(moment, f"%H:%M:%S.{moment.microsecond // 1000:03}")
    except (ValueError, OverflowError):
        return ""


def _level_in(text: str) -> str:
    if re.search(r"\b(ERROR|FATAL|PANIC)\b|\[(ERR|FTL)\]", text):
        return "error"
    return "warning" if re.search(r"\bWARNING\b|\[WRN\]", text) else "info"
