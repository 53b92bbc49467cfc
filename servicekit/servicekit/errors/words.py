"""The contracts' words as people read them: words.yaml. A person is told 处理中, never `HANDLING`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from servicekit.documents import packaged
from servicekit.languages import Language


def in_words(kind: str, word: str, language: Language) -> str:
    """`word` of a kind, such as `state` or `action`, in a language; as it is where words.yaml has nothing for it."""
    entry = words().get(kind, {}).get(word.lower())
    return entry[language] if entry is not None else word


@cache
def words() -> Mapping[str, Mapping[str, Mapping[Language, str]]]:
    """All of words.yaml: a text in each language, by kind and word."""
    found: Mapping[str, Mapping[str, Mapping[Language, str]]] = packaged("servicekit.errors", "words.yaml")
    return found
