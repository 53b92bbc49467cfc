"""What people say in the demo, in one language: `data/zh-CN.yaml` and `data/en.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Self

from pydantic import Field, model_validator
from servicekit.languages import LANGUAGES, Language

from bihuanctl.demo.documents import Document, read_document

_PLACE = re.compile(r"\{(\w+)\}")
# What visits of a category find when the corpus has nothing of its own for it.
ANY_CATEGORY = "*"


class Verdict(Document):
    """What a request is, as the agent who assesses it finds. Words of standards/data/classes.yaml."""

    kind: str
    category: str
    urgency: str
    # Somebody is sent.
    visit: bool


class Template(Document):
    """A request with places to vary."""

    verdict: Verdict
    subject: str = Field(min_length=1)
    description: str = Field(min_length=1)
    # What the desk answers where nobody is sent.
    answer: str = ""

    @model_validator(mode="after")
    def _is_answered(self) -> Self:
        if self.verdict.visit == bool(self.answer):
            raise ValueError("a request has either a visit or an answer")
        return self

    @property
    def places(self) -> set[str]:
        return set(_PLACE.findall(self.subject + self.description))


class Visit(Document):
    """What an engineer finds, does, uses and measures."""

    found: str
    done: str
    parts: Mapping[str, int]
    # Lowest, highest, unit.
    readings: Mapping[str, tuple[float, float, str]]

    def report(self, random: Random) -> dict[str, Any]:
        """A report as CompleteWorkOrder takes it."""
        return {
            "found": self.found,
            "done": self.done,
            "parts": [{"part": part, "quantity": quantity} for part, quantity in self.parts.items()],
            "readings": [
                {"name": name, "value": round(random.uniform(low, high), 2), "unit": unit}
                for name, (low, high, unit) in self.readings.items()
            ],
        }


class Sayings(Document):
    """What else is said on the way; one of each list is chosen."""

    answer: tuple[str, ...]
    failure: tuple[str, ...]
    rejection: tuple[str, ...]
    not_solved: tuple[str, ...]
    satisfied: tuple[str, ...]
    neutral: tuple[str, ...]
    dissatisfied: tuple[str, ...]
    pause: tuple[str, ...]
    reply: tuple[str, ...]
    withdrawal: tuple[str, ...]
    hand_over: tuple[str, ...]
    repeat: tuple[str, ...]
    follow_up: tuple[str, ...]
    unreached: tuple[str, ...]
    apology: tuple[str, ...]
    surnames: tuple[str, ...]
    given_names: tuple[str, ...]


class Corpus(Document):
    """Everything that is said in one language."""

    words: Mapping[str, tuple[str, ...]]
    requests: tuple[Template, ...]
    visits: Mapping[str, tuple[Visit, ...]]
    sayings: Sayings

    @model_validator(mode="after")
    def _knows_its_words(self) -> Self:
        for template in self.requests:
            if unknown := template.places - self.words.keys():
                raise ValueError(f"“{template.subject}” has places without words: {', '.join(sorted(unknown))}")
        if ANY_CATEGORY not in self.visits:
            raise ValueError(f"visits need an entry “{ANY_CATEGORY}”")
        return self

    def fill(self, template: Template, random: Random) -> tuple[str, str]:
        """Subject and description with their places filled, the same word for the same place."""
        chosen = {place: random.choice(self.words[place]) for place in sorted(template.places)}
        return template.subject.format_map(chosen), template.description.format_map(chosen)

    def report(self, category: str, random: Random) -> dict[str, Any]:
        return random.choice(self.visits.get(category) or self.visits[ANY_CATEGORY]).report(random)

    def name(self, random: Random, language: Language) -> str:
        """A customer's name, in the order of the language."""
        surname, given = random.choice(self.sayings.surnames), random.choice(self.sayings.given_names)
        return f"{surname}{given}" if language == "zh-CN" else f"{given} {surname}"


@cache
def corpora() -> Mapping[Language, Corpus]:
    """The corpus of each language, read once. Raises pydantic's ValidationError."""
    return {language: read_document(Corpus, language) for language in LANGUAGES}
