"""The languages that people are answered in, and how one is chosen."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

Language = Literal["zh-CN", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh-CN", "en")
DEFAULT_LANGUAGE: Final[Language] = "zh-CN"

_BY_PRIMARY_TAG: Final[dict[str, Language]] = {"zh": "zh-CN", "en": "en"}


@lru_cache(maxsize=256)
def negotiate(accept_language: str) -> Language | None:
    """The best of our languages for an `Accept-Language` header (RFC 9110 §12.5.4), or None when it names none of ours.

    Unreadable parts are passed over: a wrong header is no reason to refuse a call.
    """
    best: tuple[float, Language] | None = None
    for part in accept_language.split(","):
        tag, _, parameters = part.partition(";")
        # Programs also send the locale of their system, `en_US`.
        language = _BY_PRIMARY_TAG.get(tag.strip().lower().replace("_", "-").split("-")[0])
        weight = _weight(parameters)
        if language is not None and weight > 0 and (best is None or weight > best[0]):
            best = (weight, language)
    return best[1] if best else None


def as_language(text: str) -> Language | None:
    """`text` as one of our languages when it is written exactly so, such as the `locale` of a token."""
    return text if text in LANGUAGES else negotiate(text)


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
