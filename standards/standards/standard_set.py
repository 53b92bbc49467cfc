"""The whole set as the services see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from standards import files
from standards.indicators import Dimension, Indicator, Mark, Owner
from standards.models import (
    CaseKind,
    ClockStandard,
    ComplaintKeywordRule,
    KeywordRule,
    Region,
    RetentionClass,
    Schedule,
    Scorecard,
    Target,
    Threshold,
    Urgency,
    Visit,
    Window,
)
from standards.values import Word
from standards.verdicts import Bounds, bounds_of


@dataclass(frozen=True)
class Contents:
    """Every file of the folder, checked by itself. The field names are the file names."""

    manifest: files.Manifest
    calendars: files.Calendars
    classes: files.Classes
    clocks: files.Clocks
    indicators: files.Indicators
    keywords: files.Keywords
    levels: files.Levels
    regions: files.Regions
    retention: files.Retention
    scorecards: files.Scorecards
    skills: files.Skills
    stages: files.Stages
    targets: files.Targets
    thresholds: files.Thresholds


class Standards:
    """The manuals' figures, read-only. All mappings are by name; an unknown name raises KeyError."""

    def __init__(self, contents: Contents, content_hash: str) -> None:
        self.version: str = contents.manifest.version
        self.effective_from: date = contents.manifest.effective_from
        self.content_hash = content_hash
        """SHA-256 over all files in hexadecimal: two processes with the same one judge by the same figures."""

        self.classes = contents.classes
        self.kinds: Mapping[str, CaseKind] = contents.classes.kinds
        self.categories: Mapping[str, Word] = contents.classes.categories
        self.channels: Mapping[str, Word] = contents.classes.channels
        self.urgencies: Mapping[str, Urgency] = contents.classes.urgencies
        self.keywords: Mapping[str, KeywordRule] = contents.keywords.rules
        self.complaint_keywords: Mapping[str, ComplaintKeywordRule] = contents.keywords.complaints

        self.clocks: Mapping[str, ClockStandard] = contents.clocks.clocks
        self.calendars = contents.calendars
        self.windows: Mapping[str, Window] = contents.thresholds.windows
        self.thresholds: Mapping[str, Threshold] = contents.thresholds.thresholds
        self.schedules: Mapping[str, Schedule] = contents.thresholds.schedules
        self.targets: Mapping[str, Target] = contents.targets.targets
        self.indicators: Mapping[str, Indicator] = contents.indicators.indicators
        self.marks: Mapping[str, Mark] = contents.indicators.marks
        self.dimensions: Mapping[str, Dimension] = contents.indicators.dimensions
        self.owners: Mapping[str, Owner] = contents.indicators.owners
        self.scorecards: Mapping[str, Scorecard] = contents.scorecards.scorecards
        self.retention: Mapping[str, RetentionClass] = contents.retention.retention

        self.levels = contents.levels
        self.skills: Mapping[str, Word] = contents.skills.skills
        self.visits: Mapping[str, Visit] = contents.skills.visits
        """What a visit needs by default, by service category."""
        self.regions: Mapping[str, Region] = contents.regions.regions
        self.stages = contents.stages

    def clock(self, name: str) -> ClockStandard:
        return self.clocks[name]

    def bounds(self, indicator: str) -> Bounds | None:
        """What the indicator's figures are judged by; None where nothing is asked of them."""
        return bounds_of(self.indicators[indicator], self.targets)
