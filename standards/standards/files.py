"""Which sections each file of `data/` has. An operator's folder replaces the whole set, so none is optional."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, model_validator

from standards.indicators import Dimension, Indicator, Mark, Owner
from standards.models import (
    AlarmSeverity,
    AlarmType,
    Calendar,
    CalendarYear,
    CaseKind,
    ClockStandard,
    ComplaintCause,
    ComplaintClass,
    ComplaintKeywordRule,
    ComplaintRemedy,
    ComplaintSeverity,
    DataGrade,
    DisputeStage,
    EmergencyLevel,
    KeywordRule,
    Notice,
    Priority,
    RankedWord,
    Region,
    RetentionClass,
    Schedule,
    Scorecard,
    Stage,
    Target,
    Threshold,
    Urgency,
    Visit,
    Window,
)
from standards.values import Section, Text, Texts, Value, Word

INHERITED_FROM_ABOVE = ("duty_owner", "supervisor")


class Manifest(Value):
    """What the set is and which manuals it was taken from. `sources` has one letter for each."""

    version: Text
    effective_from: date
    sources: Section[Texts] = Field(min_length=1)


class File(Value):
    """A file of named entries."""

    effective_from: date

    @model_validator(mode="before")
    @classmethod
    def _complete_entries(cls, content: Any) -> Any:
        """Every entry gets its key as `name`, and the file's `effective_from` unless it has its own."""
        if not isinstance(content, dict):
            raise ValueError("the file must be a mapping of sections")
        inherited = {"effective_from": content["effective_from"]} if "effective_from" in content else {}
        return {
            section: {key: _completed(key, entry, inherited) for key, entry in entries.items()}
            if isinstance(entries, dict)
            else entries
            for section, entries in content.items()
        }


def _completed(key: str, entry: Any, inherited: dict[str, Any]) -> Any:
    return {**inherited, **entry, "name": key} if isinstance(entry, dict) else entry


class Classes(File):
    kinds: Section[CaseKind]
    categories: Section[Word]
    channels: Section[Word]
    urgencies: Section[Urgency]
    complaint_classes: Section[ComplaintClass]
    complaint_severities: Section[ComplaintSeverity]
    complaint_remedies: Section[ComplaintRemedy]
    complaint_causes: Section[ComplaintCause]
    dispute_stages: Section[DisputeStage]
    incident_kinds: Section[Word]
    alarm_types: Section[AlarmType]
    resource_pools: Section[Word]
    training_topics: Section[Word]
    consent_purposes: Section[Word]


class Indicators(File):
    marks: Section[Mark]
    dimensions: Section[Dimension]
    owners: Section[Owner]
    indicators: Section[Indicator]


class Keywords(File):
    rules: Section[KeywordRule]
    complaints: Section[ComplaintKeywordRule]


class Clocks(File):
    clocks: Section[ClockStandard]


class Targets(File):
    targets: Section[Target]


class Levels(File):
    emergency: Section[EmergencyLevel]
    alarm_severities: Section[AlarmSeverity]
    data_grades: Section[DataGrade]
    engineers: Section[RankedWord]
    priorities: Section[Priority]


class Skills(File):
    skills: Section[Word]
    visits: Section[Visit]


class Regions(File):
    regions: Section[Region]

    @model_validator(mode="before")
    @classmethod
    def _inherit_duty(cls, content: Any) -> Any:
        regions = content.get("regions") if isinstance(content, dict) else None
        if not isinstance(regions, dict):
            return content
        completed: dict[str, Any] = {}
        for path in sorted(regions, key=lambda path: path.count(".")):
            entry, above = regions[path], _nearest_above(path, completed)
            duty = {key: above[key] for key in INHERITED_FROM_ABOVE if key in above}
            completed[path] = {**duty, **entry} if isinstance(entry, dict) else entry
        return {**content, "regions": completed}


def _nearest_above(path: str, regions: dict[str, Any]) -> dict[str, Any]:
    while path := path.rpartition(".")[0]:
        if isinstance(above := regions.get(path), dict):
            return above
    return {}


class Calendars(File):
    calendars: Section[Calendar]
    years: Section[CalendarYear]


class Scorecards(File):
    scorecards: Section[Scorecard]


class Retention(File):
    retention: Section[RetentionClass]


class Thresholds(File):
    windows: Section[Window]
    thresholds: Section[Threshold]
    schedules: Section[Schedule]


class Stages(File):
    cases: Section[Stage]
    work_orders: Section[Stage]
    notices: Section[Notice]
