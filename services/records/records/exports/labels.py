"""The words of a rendered record in both languages: labels.yaml, words.yaml."""

from collections.abc import Mapping
from functools import cache

from servicekit.documents import packaged
from servicekit.languages import Language


@cache
def labels() -> Mapping[str, Mapping[Language, str]]:
    """Every label by name, read once."""
    found: Mapping[str, Mapping[Language, str]] = packaged("records.exports", "labels.yaml")
    return found


def in_words(kind: str, code: str, language: Language) -> str:
    """A code of words.yaml in words; one that is not there as it is."""
    word = _words()[kind].get(code)
    return word[language] if word else code


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[Language, str]]]:
    found: Mapping[str, Mapping[str, Mapping[Language, str]]] = packaged("records.exports", "words.yaml")
    return found
