"""Histories as people read them: histories.yaml, and the labels of the standards. A person is told 首次处理, never
`first_handled`.

What a later version of a service writes and is not known here is shown as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Final

from standards.values import Word

from servicekit.documents import packaged
from servicekit.errors.words import in_words
from servicekit.languages import Language
from servicekit.moments import TIME_FORMAT, local
from standards import Standards, label_of

Texts = Mapping[Language, str]

# Details that say when, and that list several words.
_MOMENTS: Final = frozenset({"start", "end"})
_LISTS: Final = frozenset({"reasons"})
_BETWEEN_WORDS: Final[Mapping[Language, str]] = {"en": ", ", "zh-CN": "、"}


def happened_in_words(happened: str, language: Language) -> str:
    """What happened: `case_opened` as `受理`."""
    return _in_words("happened", happened, language)


def actor_in_words(actor: str, language: Language) -> str:
    """Who did it: a person's own id, or a word for the customer or the platform itself."""
    return _in_words("actor", actor, language)


def details_in_words(details: Mapping[str, str], standards: Standards, language: Language) -> str:
    """The details of an entry, each on a line of its own; those that say nothing are left out."""
    pair = histories()["form"]["pair"][language]
    return "\n".join(
        pair.format(name=_in_words("detail", name, language), value=_value(name, value, standards, language))
        for name, value in sorted(details.items())
        if value
    )


def _value(name: str, value: str, standards: Standards, language: Language) -> str:
    if name in _MOMENTS:
        with contextlib.suppress(ValueError):  # in whatever form an older version wrote it, it is shown
            return local(datetime.fromisoformat(value), TIME_FORMAT)
    if name in _LISTS:
        words = value.split(_BETWEEN_WORDS["en"])  # as they are stored
        return _BETWEEN_WORDS[language].join(_in_words("value", word, language) for word in words)
    if name == "state":
        return in_words("state", value, language)
    for labelled in _vocabularies(name, standards):
        if value in labelled:
            return label_of(labelled, value, language)
    return _in_words("value", value, language)


def _vocabularies(name: str, standards: Standards) -> Iterable[Mapping[str, Word]]:
    """Where the standards have the words of a detail; a name may mean one thing of a case, another of a complaint."""
    classes = standards.classes
    return {
        "kind": (standards.kinds, classes.complaint_remedies),
        "category": (standards.categories,),
        "urgency": (standards.urgencies,),
        "channel": (standards.channels,),
        "clock": (standards.clocks,),
        "skill": (standards.skills,),
        "level": (standards.levels.engineers,),
        "class": (classes.complaint_classes,),
        "severity": (classes.complaint_severities,),
        "cause": (classes.complaint_causes,),
        "indicator": (standards.indicators,),
        "stage": (classes.dispute_stages,),
        "from": (classes.dispute_stages,),
        "to": (classes.dispute_stages,),
    }.get(name, ())


def _in_words(kind: str, word: str, language: Language) -> str:
    known = histories()[kind].get(word)
    return known[language] if known else word


@cache
def histories() -> Mapping[str, Mapping[str, Texts]]:
    """All of histories.yaml: a text in each language, by kind and word."""
    found: Mapping[str, Mapping[str, Texts]] = packaged("servicekit", "histories.yaml")
    return found
