"""What entries are made of: names, texts in both languages, durations, clauses of the manuals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
CalendarName = Literal["always", "working_days", "shop_hours"]
Strictness = Literal["regulatory", "promise", "internal"]
STRICTNESSES: tuple[Strictness, ...] = get_args(Strictness)

T = TypeVar("T")

INTERNAL = "internal"

_CLAUSE = re.compile(r"[A-Z](\d+(\.\d+)*)?(\(\d+(\.\d+)*\))*")
_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d+)D)?(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_PLACE = re.compile(r"\{([a-z_]+)\}")


def in_both_languages(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    for language in LANGUAGES:
        if language not in texts:
            raise ValueError(f"the text in {language} is missing")
    return MappingProxyType(dict(texts))


def _parse_duration(value: object) -> timedelta:
    """ISO-8601 with days and smaller units; a month has no fixed length and is written in days."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not an ISO-8601 duration such as PT4H or P30D")
    length = timedelta(**{unit: int(amount) for unit, amount in match.groupdict().items() if amount})
    if not length:
        raise ValueError("a duration must be longer than zero")
    return length


def _names_clauses(source: str) -> str:
    for clause in source.split():
        if clause != INTERNAL and not _CLAUSE.fullmatch(clause):
            raise ValueError(f"{clause!r} is not a clause of a source, such as A2.1.1, nor `{INTERNAL}`")
    return source


def _read_only(entries: Mapping[str, T]) -> Mapping[str, T]:
    return MappingProxyType(dict(entries))


Section = Annotated[Mapping[str, T], AfterValidator(_read_only)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Texts = Annotated[Mapping[Language, Text], AfterValidator(in_both_languages)]
Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Source = Annotated[Text, AfterValidator(_names_clauses)]


STAGE_PLACES = frozenset({"responsible", "promised_by", "appointment"})


def _with_known_places(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    places = {language: set(_PLACE.findall(text)) for language, text in texts.items()}
    if unknown := set().union(*places.values()) - STAGE_PLACES:
        raise ValueError(f"unknown place {{{min(unknown)}}}; known are {', '.join(sorted(STAGE_PLACES))}")
    if len({frozenset(found) for found in places.values()}) > 1:
        raise ValueError("the languages must use the same places")
    return texts


PlacedTexts = Annotated[Texts, AfterValidator(_with_known_places)]


class Value(BaseModel):
    """Read-only, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Entry(Value):
    """One named line of a file. `source` names the clauses it comes from, or `internal` where no clause gives it."""

    name: str
    effective_from: date
    source: Source
    note: Text | None = None

    @model_validator(mode="after")
    def _explains_itself(self) -> Entry:
        if self.source == INTERNAL and self.note is None:
            raise ValueError("a figure that no clause gives needs a note saying why")
        return self


class Word(Entry):
    """A word of a vocabulary, with what people see for it."""

    name: Name
    label: Texts


def label_of(words: Mapping[str, Word], name: str, language: Language) -> str:
    """What people see for a word of a vocabulary; a word that only later standards have as it is."""
    return words[name].label[language] if name in words else name
