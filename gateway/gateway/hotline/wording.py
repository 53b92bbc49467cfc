"""What is said: texts.yaml and faults.yaml in the caller's language, with what is not read as words marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from string import Formatter
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from servicekit.documents import packaged
from servicekit.languages import LANGUAGES, Language

# How the services write a moment for people, in the time of China.
_MOMENT: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2})")


@dataclass(frozen=True)
class SayAs:
    """A part of a type of VoiceXML 2.0, appendix P: `digits`, `date` (yyyymmdd), `time` (hhmm, and h for 24 hours)."""

    kind: str
    value: str


Part = str | SayAs


@dataclass(frozen=True)
class Line:
    """Something said in one language."""

    language: Language
    parts: tuple[Part, ...]


class FaultChoice(BaseModel):
    """One entry of faults.yaml: a service and what may be wrong with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str
    label: Mapping[Language, str]
    symptoms: tuple[Mapping[Language, str], ...] = Field(min_length=1)


def line(language: Language, key: str, /, **places: Part | tuple[Part, ...]) -> Line:
    """The text `key` with its places filled. Raises KeyError for an unknown text or place; a test looks for both."""
    return Line(language, tuple(_filled(texts()[key][language], places)))


def text(language: Language, key: str, /, **places: str) -> str:
    """The text for reading: what is written on a case."""
    return texts()[key][language].format_map(places)


def number(case_number: str) -> tuple[Part, ...]:
    """A case number digit by digit, with a breath between its groups."""
    groups = [SayAs("digits", group) for group in case_number.split("-")]
    return tuple(part for group in groups for part in (group, " "))[:-1]


def told(written: str) -> tuple[Part, ...]:
    """A text of a service, with the moments in it marked as date and time."""
    parts: list[Part] = []
    end = 0
    for found in _MOMENT.finditer(written):
        year, month, day, hour, minute = found.groups()
        parts += [written[end : found.start()], SayAs("date", f"{year}{month}{day}"), " "]
        parts.append(SayAs("time", f"{hour}{minute}h"))
        end = found.end()
    return (*parts, written[end:])


def hour(at: time) -> SayAs:
    return SayAs("time", f"{at:%H%M}h")


@cache
def texts() -> Mapping[str, Mapping[Language, str]]:
    """Every text by dotted key."""
    return dict(_flattened(packaged("gateway.hotline", "texts.yaml")))


@cache
def faults() -> tuple[FaultChoice, ...]:
    """What can be reported, in the order of the keys. Raises pydantic's ValidationError."""
    return tuple(FaultChoice.model_validate(entry) for entry in packaged("gateway.hotline", "faults.yaml"))


def _flattened(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[Language, str]]]:
    for name, entry in document.items():
        if set(entry) == set(LANGUAGES):
            yield f"{prefix}{name}", entry
        else:
            yield from _flattened(entry, f"{prefix}{name}.")


def _filled(template: str, places: Mapping[str, Part | tuple[Part, ...]]) -> Iterator[Part]:
    for words, place, _, _ in Formatter().parse(template):
        if words:
            yield words
        if place is not None:
            value = places[place]
            yield from value if isinstance(value, tuple) else (value,)
