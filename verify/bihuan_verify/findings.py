"""What a check says: done and well, or what is wrong and where. Texts in both languages: texts.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh-CN", "en")


class CheckError(ValueError):
    """Why something is not what it should be: a key of texts.json and what stands in its places.

    KeyError: there is no such text.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(say(code, "en", **values))
        self.code = code
        self.values = values

    def text(self, language: str) -> str:
        return say(self.code, language, **self.values)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `code` is a key of texts.json; `where` names the file, entry or record."""

    code: str
    where: str = ""
    # What was found, or why it was not taken.
    detail: object = ""

    def text(self, language: str) -> str:
        return say(self.code, language, where=self.where, detail=self.detail)


@dataclass
class Outcome:
    """What was checked (keys of texts.json with their values) and what is wrong."""

    checked: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def well(self, code: str, **values: object) -> None:
        self.checked.append((code, values))

    def wrong(self, code: str, where: str = "", detail: object = "") -> None:
        self.findings.append(Finding(code, printable(where), detail))


def say(code: str, language: str, **values: object) -> str:
    """A text of texts.json; reasons in its places are in the same language."""
    places = {
        name: value.text(language) if isinstance(value, CheckError) else printable(value)
        for name, value in values.items()
    }
    return texts()[code][language].format_map(places)


def printable(value: object) -> str:
    """As a text that every terminal takes: names and facts come from anybody."""
    return str(value).encode("utf-8", "backslashreplace").decode()


@cache
def texts() -> dict[str, dict[str, str]]:
    """Every text by code and language, read once."""
    found: dict[str, dict[str, str]] = json.loads(files("bihuan_verify").joinpath("texts.json").read_text("utf-8"))
    return found
