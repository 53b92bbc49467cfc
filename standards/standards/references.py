"""What only all files together can get wrong: names that must exist elsewhere."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import fields
from typing import get_args

from standards.documents import Place
from standards.files import File
from standards.indicatorreferences import find_broken_indicators
from standards.models import Figure, Target
from standards.standard_set import Contents
from standards.values import INTERNAL, CalendarName, Entry

Problem = tuple[str, Place, str]


def find_broken_references(contents: Contents) -> Iterator[Problem]:
    """Yields (file without suffix, place in it, reason) for every name that points nowhere."""
    yield from _sources(contents)
    yield from _classes(contents)
    yield from _levels(contents)
    yield from _regions(contents)
    yield from _calendars(contents)
    yield from find_broken_indicators(contents)


def _missing(file: str, place: Place, name: str | None, known: Container[str], what: str) -> Iterator[Problem]:
    if name is not None and name not in known:
        yield file, place, f"unknown {what} {name}"


def _sources(contents: Contents) -> Iterator[Problem]:
    letters = contents.manifest.sources
    for field in fields(contents):
        file = getattr(contents, field.name)
        for section in type(file).model_fields if isinstance(file, File) else ():
            entries = getattr(file, section)
            for name, entry in entries.items() if isinstance(entries, Mapping) else ():
                yield from _clauses(field.name, (section, name), entry, letters)
                for index, figure in enumerate(entry.figures if isinstance(entry, Target) else ()):
                    yield from _clauses(field.name, (section, name, "figures", index), figure, letters)


def _clauses(file: str, place: Place, value: Entry | Figure, letters: Container[str]) -> Iterator[Problem]:
    for clause in value.source.split():
        if clause != INTERNAL:
            yield from _missing(file, (*place, "source"), clause[0], letters, "source")


def _classes(contents: Contents) -> Iterator[Problem]:
    classes, clocks = contents.classes, contents.clocks.clocks
    for name, kind in classes.kinds.items():
        yield from _missing("classes", ("kinds", name, "response_clock"), kind.response_clock, clocks, "clock")
    for name, severity in classes.complaint_severities.items():
        place: Place = ("complaint_severities", name, "response_clock")
        yield from _missing("classes", place, severity.response_clock, clocks, "clock")
    for name, complaint_class in classes.complaint_classes.items():
        place = ("complaint_classes", name, "training_topic")
        yield from _missing("classes", place, complaint_class.training_topic, classes.training_topics, "topic")
    for name, cause in classes.complaint_causes.items():
        place = ("complaint_causes", name, "under")
        yield from _missing("classes", place, cause.under, classes.complaint_causes, "cause")
    for name, alarm_type in classes.alarm_types.items():
        place = ("alarm_types", name, "incident_kind")
        yield from _missing("classes", place, alarm_type.incident_kind, classes.incident_kinds, "incident kind")
    for name, words in contents.keywords.complaints.items():
        place = ("complaints", name, "complaint_class")
        yield from _missing("keywords", place, words.complaint_class, classes.complaint_classes, "complaint class")
        place = ("complaints", name, "severity")
        yield from _missing("keywords", place, words.severity, classes.complaint_severities, "severity")
    for name, urgency in classes.urgencies.items():
        place = ("urgencies", name, "priority")
        yield from _missing("classes", place, str(urgency.priority), contents.levels.priorities, "priority")
    for name, rule in contents.keywords.rules.items():
        yield from _missing("keywords", ("rules", name, "kind"), rule.kind, classes.kinds, "kind")
        yield from _missing("keywords", ("rules", name, "category"), rule.category, classes.categories, "category")
        yield from _missing("keywords", ("rules", name, "urgency"), rule.urgency, classes.urgencies, "urgency")
    for name, clock in clocks.items():
        for index, kind_name in enumerate(clock.applies_to):
            yield from _missing("clocks", ("clocks", name, "applies_to", index), kind_name, classes.kinds, "kind")


def _levels(contents: Contents) -> Iterator[Problem]:
    levels, skills = contents.levels, contents.skills
    for name, level in levels.emergency.items():
        place: Place = ("emergency", name, "response_clock")
        yield from _missing("levels", place, level.response_clock, contents.clocks.clocks, "clock")
    for name, severity in levels.alarm_severities.items():
        place = ("alarm_severities", name, "emergency")
        yield from _missing("levels", place, severity.emergency, levels.emergency, "emergency level")
    for name, visit in skills.visits.items():
        yield from _missing("skills", ("visits", name), name, contents.classes.categories, "category")
        yield from _missing("skills", ("visits", name, "skill"), visit.skill, skills.skills, "skill")
        yield from _missing("skills", ("visits", name, "level"), visit.level, levels.engineers, "level")
    for name in contents.classes.categories:
        yield from _missing("skills", ("visits",), name, skills.visits, "visit: nothing is said for")
    for name, kept in contents.retention.retention.items():
        yield from _missing("retention", ("retention", name, "grade"), kept.grade, levels.data_grades, "grade")


def _regions(contents: Contents) -> Iterator[Problem]:
    regions = contents.regions.regions
    for path, region in regions.items():
        yield from _missing("regions", ("regions", path), region.parent, regions, "region above it:")


def _calendars(contents: Contents) -> Iterator[Problem]:
    for name in get_args(CalendarName):
        yield from _missing("calendars", ("calendars",), name, contents.calendars.calendars, "calendar: no label for")
