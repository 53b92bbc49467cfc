"""From the rows of a file to requests: which column is what, and what its values mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import product
from random import Random
from typing import Final
from unicodedata import normalize

from bihuan.intake.v1.cases_pb2 import OpenCaseRequest
from google.protobuf.json_format import ParseDict
from servicekit.errors import Fault
from servicekit.languages import Language
from servicekit.plaintext import says_something
from servicekit.rpc.interceptors.validation import Validation
from standards.values import Word

from bihuanctl.demo.corpus import corpora
from bihuanctl.demo.csvrows import BadRow, Row, Table
from bihuanctl.demo.documents import read_data
from bihuanctl.demo.personas import Personas, deal
from bihuanctl.demo.requests import Request
from bihuanctl.refusal import Refusal
from standards import load

FIELDS: Final = ("subject", "description", "date", "time", "channel", "region", "name", "phone")
TEXT_FIELDS: Final = ("subject", "description")
# Stands for every value that is not named.
ANY_VALUE: Final = "*"
MOST_COLUMNS_SHOWN: Final = 30
# A subject made from a description is cut here.
SUBJECT_LENGTH: Final = 60
# Takes the place of the number that is made up later, so that the rest of a request can be checked now.
SOME_PHONE: Final = "13800138000"
PHONE_FIELD: Final = "caller.phone"
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_PHONE_DECORATION: Final = re.compile(r"[\s().-]")
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y年%m月%d日")
_TIMES: Final = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")


@dataclass(frozen=True)
class Choices:
    """What the caller said about the file."""

    # Column by field.
    columns: Mapping[str, str] = field(default_factory=dict)
    # Word of ours by (field, value in lower case).
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)


def read_choices(columns: Sequence[str], values: Sequence[str]) -> Choices:
    """Options as typed: `subject=Customer Complaint`, `channel:Internet=web`.

    Raises Refusal `map_unreadable`, `map_repeated`, `map_value_unreadable` or `map_value_unknown`.
    """
    chosen_columns, chosen_values = {}, {}
    for option in columns:
        name, equals, column = option.partition("=")
        if not equals or name.strip() not in FIELDS or not column.strip():
            raise Refusal("map_unreadable", option=option, fields=", ".join(FIELDS))
        if name.strip() in chosen_columns:
            raise Refusal("map_repeated", option=option, field=name.strip())
        chosen_columns[name.strip()] = column.strip()
    for option in values:
        given, equals, word = option.rpartition("=")
        name, colon, value = given.partition(":")
        if not equals or not colon or name.strip() not in ("channel", "region") or not word.strip():
            raise Refusal("map_value_unreadable", option=option)
        known = _known_words(name.strip())
        if word.strip() not in known:
            raise Refusal("map_value_unknown", option=option, word=word.strip(), known=", ".join(known))
        chosen_values[name.strip(), _folded(value)] = word.strip()
    return Choices(chosen_columns, chosen_values)


def read_requests(
    table: Table, choices: Choices, personas: Personas, random: Random, language: Language
) -> tuple[list[Request], list[BadRow]]:
    """The rows that can be played, in the order in which they were written, and the others with the reason.

    Reasons that come from the contract are told in `language`. Raises Refusal `column_unknown`, `column_repeated` or
    `columns_needed`.
    """
    reading = _Reading(_columns(table.columns, choices), choices.values, personas, Validation(), language)
    requests, bad = [], []
    # What the file doesn't say is dealt out as in the corpus.
    channels = deal(personas.channels, len(table.rows), random)
    regions = deal(personas.regions, len(table.rows), random)
    for row, channel, region in zip(table.rows, channels, regions, strict=True):
        found = row if isinstance(row, BadRow) else reading.read(row, channel, region, random)
        if isinstance(found, BadRow):
            bad.append(found)
        else:
            requests.append(found)
    requests.sort(key=lambda request: (request.written_at is None, request.written_at or datetime.min))  # noqa: DTZ901
    return requests, bad


def _columns(present: Sequence[str], choices: Choices) -> dict[str, str]:
    """Column by field: as chosen, else the column that is called like the field."""
    listed = ", ".join(f"“{column}”" for column in present[:MOST_COLUMNS_SHOWN])
    if len(present) > MOST_COLUMNS_SHOWN:
        listed += ", …"
    for name, column in choices.columns.items():
        if column not in present:
            raise Refusal("column_unknown", field=name, column=column, columns=listed)
    by_name = {_folded(column): column for column in reversed(present)}
    found = {name: by_name[name] for name in FIELDS if name in by_name} | dict(choices.columns)
    if not any(name in found for name in TEXT_FIELDS):
        raise Refusal("columns_needed", columns=listed)
    for name, column in found.items():
        if present.count(column) > 1:
            raise Refusal("column_repeated", field=name, column=column)
    return found


@dataclass(frozen=True)
class _Reading:
    """How one file is read."""

    columns: Mapping[str, str]
    values: Mapping[tuple[str, str], str]
    personas: Personas
    validation: Validation
    language: Language

    def read(self, row: Row, channel: str, region: str, random: Random) -> Request | BadRow:
        texts = {name: row.cells[column] for name, column in self.columns.items()}
        subject, description = texts.get("subject", ""), texts.get("description", "")
        if not says_something(subject) and not says_something(description):
            return BadRow(row.line, "empty_text")
        words = {"channel": channel, "region": region}
        for name in words:
            if name in texts:
                word = self._word(name, texts[name])
                if word is None:
                    return BadRow(row.line, f"{name}_unknown", {"value": texts[name]})
                words[name] = word
        written_at = _written_at(texts.get("date", ""), texts.get("time", ""))
        if written_at is None and (texts.get("date") or texts.get("time")):
            value = f"{texts.get('date', '')} {texts.get('time', '')}".strip()
            return BadRow(row.line, "date_unreadable", {"value": value})
        language: Language = "zh-CN" if _CHINESE.search(subject + description) else "en"
        request = Request(
            channel=words["channel"],
            identity_check=self._identity_check(words["channel"]),
            region=words["region"],
            language=language,
            name=texts.get("name") or corpora()[language].name(random, language),
            # Chinese keyboards write full-width digits too.
            phone=_PHONE_DECORATION.sub("", normalize("NFKC", texts.get("phone", ""))),
            subject=subject if says_something(subject) else _shortened(description),
            description=description,
            written_at=written_at,
        )
        return self._checked(row.line, request)

    def _word(self, name: str, value: str) -> str | None:
        """Our word for a value of the file; None when nobody said what it means."""
        folded = _folded(value)
        return self.values.get((name, folded)) or _usual_words(name).get(folded) or self.values.get((name, ANY_VALUE))

    def _identity_check(self, channel: str) -> str:
        known = self.personas.channels.get(channel)
        return known.identity_check if known else "IDENTITY_CHECK_NONE"

    def _checked(self, line: int, request: Request) -> Request | BadRow:
        """Holds the request against the contract, so that a bad row is named here and nothing of it is sent."""
        message = ParseDict(request.body(request.phone or SOME_PHONE), OpenCaseRequest())
        try:
            self.validation.require_valid(message, self.language)
        except Fault as fault:
            if all(violation.field == PHONE_FIELD for violation in fault.violations):
                return BadRow(line, "phone_invalid", {"value": request.phone})
            reasons = "; ".join(f"{violation.field} {violation.message}" for violation in fault.violations)
            return BadRow(line, "against_contract", {"reasons": reasons})
        return request


@cache
def _usual_words(name: str) -> Mapping[str, str]:
    """What values mean when nobody says so: our own words, their labels, and `data/values.yaml`."""
    known = _known_words(name)
    usual = {_folded(value): word for word, values in read_data("values").get(name, {}).items() for value in values}
    labels = {_folded(label): word for word, entry in known.items() for label in entry.label.values()}
    return usual | labels | {word: word for word in known}


def _known_words(name: str) -> Mapping[str, Word]:
    return load().channels if name == "channel" else load().regions


def _written_at(date: str, time: str) -> datetime | None:
    """When it was written, in no particular time zone; None when that can't be read, or is not said."""
    text = f"{date} {time}".strip()
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for date_format, time_format in product(_DATES, ("", *_TIMES)):
        try:
            return datetime.strptime(text, f"{date_format} {time_format}".strip())  # noqa: DTZ007 -- only for order
        except ValueError:
            continue
    return None


def _shortened(text: str) -> str:
    line = next(line for line in text.splitlines() if says_something(line))
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1]}…"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
