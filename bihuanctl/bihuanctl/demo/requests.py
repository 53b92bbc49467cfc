"""The requests that are played, before anybody has sent them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from servicekit.languages import Language

from bihuanctl.demo.corpus import Verdict, corpora
from bihuanctl.demo.personas import Personas, deal


@dataclass(frozen=True)
class Request:
    """What a customer wants, and how it reaches us."""

    channel: str
    identity_check: str
    region: str
    language: Language
    name: str
    # Empty: a number nobody had before is made up when it is sent.
    phone: str
    subject: str
    description: str
    # What the agent finds it to be; None where only the text is known, then the proposal is kept.
    verdict: Verdict | None = None
    # What the desk answers; empty: something general.
    answer: str = ""
    # What the customer already says it is; empty: the platform proposes it from the text.
    kind: str = ""
    category: str = ""
    # When it was written, where a file says so; orders the requests.
    written_at: datetime | None = None

    def body(self, phone: str) -> dict[str, Any]:
        """The body of `POST /v1/cases`."""
        return {
            "channel": self.channel,
            "caller": {"name": self.name, "phone": phone, "identity_check": self.identity_check},
            "region": self.region,
            "subject": self.subject,
            "description": self.description,
            "language": self.language,
            "kind": self.kind,
            "category": self.category,
        }

    def again(self, kind: str, category: str, description: str) -> Request:
        """The same problem reported once more, said to be the same."""
        return replace(self, kind=kind, category=category, description=description)


def compose(count: int, table: Personas, random: Random) -> list[Request]:
    """`count` requests out of the corpus, each template as often as the others."""
    channels = deal(table.channels, count, random)
    regions = deal(table.regions, count, random)
    languages = deal(table.languages, count, random)
    decks: dict[Language, list[Any]] = {language: [] for language in corpora()}
    requests = []
    for channel, region, language in zip(channels, regions, languages, strict=True):
        corpus = corpora()[language]
        if not (deck := decks[language]):
            deck.extend(random.sample(corpus.requests, len(corpus.requests)))
        template = deck.pop()
        subject, description = corpus.fill(template, random)
        requests.append(
            Request(
                channel=channel,
                identity_check=table.channels[channel].identity_check,
                region=region,
                language=language,
                name=corpus.name(random, language),
                phone="",
                subject=subject,
                description=description,
                verdict=template.verdict,
                answer=template.answer,
            )
        )
    return requests
