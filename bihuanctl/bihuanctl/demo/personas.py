"""Who behaves how, and how often: `data/personas.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field
from servicekit.languages import Language

from bihuanctl.demo.documents import Document, read_document

ALL = 100

CustomerPersona = Literal["content", "silent", "unsatisfied", "low_score", "repeats", "returns", "withdraws", "awaited"]
OwnerPersona = Literal["prompt", "late", "hands_over"]
EngineerPersona = Literal["on_time", "late", "rejects", "fails_once"]

K = TypeVar("K", bound=str)


class Share(Document):
    """Percent of all who draw from the table."""

    share: int = Field(ge=0, le=ALL)


class Persona(Share):
    label: Mapping[Language, str]


class ChannelShare(Share):
    # The client system that speaks for customers on this channel, or `agent`.
    through: str
    identity_check: str


class Crew(Document):
    """An engineer of the demo."""

    name: str
    territory: str
    level: Literal["junior", "middle", "senior"]


class Survey(Document):
    response_percent: int = Field(ge=0, le=ALL)
    # Percent of the answers by score.
    scores: Mapping[int, int]
    low_scores: Mapping[int, int]


class Arrivals(Document):
    hours: int = Field(gt=0)
    most_per_hour: int = Field(gt=0)


def _adds_up(table: Mapping[str, Share]) -> Mapping[str, Share]:
    total = sum(entry.share for entry in table.values())
    if total != ALL:
        raise ValueError(f"the shares add up to {total}, not {ALL}")
    return table


class Personas(Document):
    """The whole table."""

    customers: Annotated[Mapping[CustomerPersona, Persona], AfterValidator(_adds_up)]
    owners: Annotated[Mapping[OwnerPersona, Persona], AfterValidator(_adds_up)]
    engineers: Annotated[Mapping[EngineerPersona, Persona], AfterValidator(_adds_up)]
    channels: Annotated[Mapping[str, ChannelShare], AfterValidator(_adds_up)]
    languages: Annotated[Mapping[Language, Share], AfterValidator(_adds_up)]
    regions: Annotated[Mapping[str, Share], AfterValidator(_adds_up)]
    file_faults_visited_percent: int = Field(ge=0, le=ALL)
    # Lowest and highest, by step.
    minutes: Mapping[str, tuple[int, int]]
    survey: Survey
    reached_percent: int = Field(ge=0, le=ALL)
    arrivals: Arrivals
    # By the user id that the engineer signs in with.
    workforce: Mapping[str, Crew]


@cache
def personas() -> Personas:
    """The table, read once. Raises pydantic's ValidationError."""
    return read_document(Personas, "personas")


def deal(table: Mapping[K, Share], count: int, random: Random) -> list[K]:
    """`count` draws in which every entry has exactly its share (rounded), in an order that `random` decides."""
    dealt: list[K] = []
    begun = 0
    for name, entry in table.items():
        # Rounding the running total keeps the sum right whatever the shares are.
        end = begun + entry.share
        dealt += [name] * (round(end * count / ALL) - round(begun * count / ALL))
        begun = end
    random.shuffle(dealt)
    return dealt
