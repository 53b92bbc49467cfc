"""Clocks that are never lost (INT-05 to INT-07): started and stopped with what they watch, fired on any replica."""

from servicekit.deadlines.calendars import Calendars, DueTime, calendars_of
from servicekit.deadlines.commands import Start, cancel, meet, pause, reassign, resume, start
from servicekit.deadlines.handlers import Deadline, DeadlineHandlers
from servicekit.deadlines.queries import ClockCounts, count, count_overdue, of, running
from servicekit.deadlines.runner import DeadlineRunner

__all__ = [
    "Calendars",
    "ClockCounts",
    "Deadline",
    "DeadlineHandlers",
    "DeadlineRunner",
    "DueTime",
    "Start",
    "calendars_of",
    "cancel",
    "count",
    "count_overdue",
    "meet",
    "of",
    "pause",
    "reassign",
    "resume",
    "running",
    "start",
]
