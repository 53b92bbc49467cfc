"""The one exception that crosses the wall of a room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

from servicekit.errors.catalogue import Definition, FaultText, definition
from servicekit.errors.words import in_words
from servicekit.languages import Language

# What a text about a field speaks of when no single field is at fault.
_WHOLE_REQUEST: Final[Mapping[Language, str]] = {"en": "the request", "zh-CN": "请求"}


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that is not as the contract wants it."""

    # Path from the request, such as `caller.phone` or `report.parts[0].quantity`.
    field: str
    # The rule of the contract that is broken, such as `string.max_len`.
    rule: str
    # In the caller's language. Never shows the value itself: it may be personal data.
    message: str


class Fault(Exception):  # noqa: N818 -- the word that the whole platform uses for it
    """Something went wrong that the caller can be told about, by a code of catalogue.yaml.

    `field` names the request field at fault. `params` fill the places in the texts and travel to the caller:
    never put personal data into them. Raises KeyError when the catalogue does not know the code.
    """

    def __init__(self, code: str, /, *, field: str | None = None, **params: object) -> None:
        self.definition: Definition = definition(code)
        self.field = field
        self.params: dict[str, str] = {name: _as_text(value) for name, value in params.items()}
        self.violations: tuple[FieldViolation, ...] = ()
        super().__init__(code)

    @classmethod
    def of_violations(cls, violations: Iterable[FieldViolation]) -> Self:
        """`invalid_argument` with everything that is wrong with a request, about the first field that is named."""
        found = tuple(violations)
        fault = cls("invalid_argument", field=next((each.field for each in found if each.field), None))
        fault.violations = found
        return fault

    @property
    def code(self) -> str:
        return self.definition.code

    @property
    def retryable(self) -> bool:
        """The same call may succeed later without anybody changing anything."""
        return self.definition.retryable

    def text(self, language: Language) -> FaultText:
        """What a person is told, in their language."""
        shown = {name: in_words(name, value, language) for name, value in self.params.items()}
        places: Mapping[str, str] = {"field": self.field or _WHOLE_REQUEST[language], **shown}
        return self.definition.texts[language].filled(places)

    def __str__(self) -> str:
        named = {"field": self.field, **self.params} if self.field else self.params
        shown = ", ".join(f"{name}={value}" for name, value in named.items())
        return f"{self.code} ({shown})" if shown else self.code

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own way would call Fault(code) and lose the keywords.
        return _rebuilt, (type(self), self.code, self.field, self.params, self.violations)


def _rebuilt(
    kind: type[Fault], code: str, field: str | None, params: dict[str, str], violations: tuple[FieldViolation, ...]
) -> Fault:
    fault = kind(code, field=field, **params)
    fault.violations = violations
    return fault


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
