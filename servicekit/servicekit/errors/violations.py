"""What a person is told about a broken rule of a contract."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from servicekit.documents import packaged
from servicekit.languages import Language

# For a rule that violations.yaml does not know, such as one of a contract that is newer than it.
_UNKNOWN_RULE: Final[Mapping[Language, str]] = {"en": "is not as the contract wants it", "zh-CN": "不符合接口要求"}
_PATTERN: Final = "string.pattern"


@cache
def violation_texts() -> Mapping[str, Mapping[Language, str]]:
    """The texts of violations.yaml by rule id, read once."""
    texts: Mapping[str, Mapping[Language, str]] = packaged("servicekit.errors", "violations.yaml")
    return texts


@cache
def pattern_texts() -> Mapping[str, Mapping[Language, str]]:
    """The texts of patterns.yaml by pattern: nobody should have to read a regular expression."""
    texts: Mapping[str, Mapping[Language, str]] = packaged("servicekit.errors", "patterns.yaml")
    return texts


def violation_text(rule: str, language: Language, limit: object) -> str:
    """What `rule`, such as `string.max_len`, demands; `limit` is the value it has in the contract."""
    _, _, kind = rule.rpartition(".")
    if rule == _PATTERN:
        text = pattern_texts().get(str(limit))
    else:
        text = violation_texts().get(rule) or violation_texts().get(f"*.{kind}")
    text = text or _UNKNOWN_RULE
    shown = ", ".join(map(str, limit)) if isinstance(limit, (list, tuple)) else str(limit)
    return text[language].replace("{limit}", shown)
