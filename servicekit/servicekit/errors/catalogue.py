"""The catalogue of fault codes: what each means inside, outside, and to the person who reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from servicekit.documents import packaged
from servicekit.languages import LANGUAGES, Language

# The names of google.rpc.Code that a fault may carry. Kept as names: rules raise faults and must not import gRPC.
GRPC_STATUSES: Final = frozenset(
    {
        "CANCELLED",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
    }
)
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_TEXT_PARTS: Final = ("title", "detail", "next_step")
_HTTP_ERRORS: Final = range(400, 600)


@dataclass(frozen=True, slots=True)
class FaultText:
    """What a person is told: what is wrong, how exactly, and what to do next."""

    title: str
    detail: str
    next_step: str

    def filled(self, params: Mapping[str, str]) -> FaultText:
        """The same text with every `{place}` filled from `params`; a place that nothing is known for shows `…`."""

        def value(match: re.Match[str]) -> str:
            return params.get(match[1]) or "…"

        return FaultText(*(_PLACE.sub(value, part) for part in (self.title, self.detail, self.next_step)))

    @property
    def places(self) -> frozenset[str]:
        """Names of the parameters that the text shows."""
        return frozenset(_PLACE.findall(f"{self.title} {self.detail} {self.next_step}"))


@dataclass(frozen=True, slots=True)
class Definition:
    """One fault code of catalogue.yaml."""

    code: str
    grpc_status: str
    http_status: int
    # The same call may succeed later without anybody changing anything.
    retryable: bool
    texts: Mapping[Language, FaultText]

    @property
    def places(self) -> frozenset[str]:
        """Names of the parameters that its texts show, the same in every language."""
        return self.texts["en"].places


@cache
def definitions() -> Mapping[str, Definition]:
    """Every fault code, read once and validated. Raises ValueError that names the code and what is wrong with it."""
    return parse(packaged("servicekit.errors", "catalogue.yaml"))


def definition(code: str) -> Definition:
    """The definition of `code`. Raises KeyError when the catalogue does not know it."""
    return definitions()[code]


def parse(document: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Definition]:
    """Definitions from the catalogue's content. Raises ValueError that names the code and what is wrong with it."""
    return MappingProxyType({code: _definition(code, entry) for code, entry in document.items()})


def _definition(code: str, entry: Mapping[str, Any]) -> Definition:
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code}: a code is written in snake_case")
    unknown = set(entry) - {"grpc", "http", "retryable", *LANGUAGES}
    if unknown:
        raise ValueError(f"{code}: unknown {', '.join(sorted(unknown))}")
    if entry.get("grpc") not in GRPC_STATUSES:
        raise ValueError(f"{code}: grpc must be one of {', '.join(sorted(GRPC_STATUSES))}")
    if entry.get("http") not in _HTTP_ERRORS:
        raise ValueError(f"{code}: http must be a status from 400 to 599")
    texts = {language: _text(code, language, entry.get(language)) for language in LANGUAGES}
    if len({text.places for text in texts.values()}) != 1:
        raise ValueError(f"{code}: the languages show different parameters")
    return Definition(code, entry["grpc"], entry["http"], bool(entry.get("retryable", False)), MappingProxyType(texts))


def _text(code: str, language: str, parts: Any) -> FaultText:
    if not isinstance(parts, Mapping) or set(parts) != set(_TEXT_PARTS):
        raise ValueError(f"{code}: {language} needs exactly {', '.join(_TEXT_PARTS)}")
    for name in _TEXT_PARTS:
        if not isinstance(parts[name], str) or not parts[name].strip():
            raise ValueError(f"{code}: {language}.{name} must be a text")
    return FaultText(parts["title"], parts["detail"], parts["next_step"])
