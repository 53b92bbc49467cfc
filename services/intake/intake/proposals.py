"""Kind, category and urgency proposed from a request's own words, in Chinese and English (INT-04). Pure.

The words and their weights are data (standards/keywords.yaml). A proposal is only that: a person confirms or overrides
it, so the words that led to it come along.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from standards import Standards

# What a text that says nothing to us is taken for; its confidence tells the assessor that it is a guess.
DEFAULT_KIND = "inquiry"
DEFAULT_CATEGORY = "personalised"
DEFAULT_URGENCY = "normal"
# Weight of the doubt that stands against every finding, so that one weak word never makes certainty.
DOUBT = Decimal(1)
_ASCII = re.compile(r"[\x00-\x7f]+")


@dataclass(frozen=True)
class Proposal:
    """Words of standards/classes.yaml. `confidence`: from 0 (a guess) towards 1. `evidence`: words of the text."""

    kind: str
    category: str
    urgency: str
    confidence: float
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    # In lower case. Looking for them one by one costs a fraction of the pattern, and most rules don't apply.
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    weight: Decimal
    kind: str | None
    category: str | None
    urgency: str | None


class Proposer:
    """Reads requests with the keyword rules of the standards."""

    def __init__(self, standards: Standards) -> None:
        self._rules = [
            _Rule(
                words=tuple(word.lower() for words in rule.words.values() for word in words),
                pattern=_pattern(word for words in rule.words.values() for word in words),
                weight=rule.weight,
                kind=rule.kind,
                category=rule.category,
                urgency=rule.urgency,
            )
            for rule in standards.keywords.values()
        ]

    def propose(self, text: str, *, kind: str = "", category: str = "") -> Proposal:
        """What `text` asks for. A kind or category that the caller states is taken as it is and counts as certain."""
        kinds: dict[str, Decimal] = defaultdict(Decimal)
        categories: dict[str, Decimal] = defaultdict(Decimal)
        urgencies: dict[str, Decimal] = defaultdict(Decimal)
        evidence: list[str] = []
        lowered = text.lower()
        for rule in self._rules:
            if not any(map(lowered.__contains__, rule.words)) or (found := rule.pattern.search(text)) is None:
                continue
            evidence.append(found[0])
            for word, scores in ((rule.kind, kinds), (rule.category, categories), (rule.urgency, urgencies)):
                if word is not None:
                    scores[word] += rule.weight
        kind, kind_confidence = (kind, 1.0) if kind else _best(kinds, DEFAULT_KIND)
        category, category_confidence = (category, 1.0) if category else _best(categories, DEFAULT_CATEGORY)
        urgency, _ = _best(urgencies, DEFAULT_URGENCY)
        confidence = round((kind_confidence + category_confidence) / 2, 3)
        return Proposal(kind, category, urgency, confidence, tuple(dict.fromkeys(evidence)))


def _best(scores: dict[str, Decimal], default: str) -> tuple[str, float]:
    """The word with most weight, the first found among equals, and its share of all the weight there is."""
    if not scores:
        return default, 0.0
    word = max(scores, key=lambda name: scores[name])
    return word, float(scores[word] / (sum(scores.values()) + DOUBT))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words. English ones stand alone, singular or plural; Chinese has no gaps between words."""
    longest_first = sorted(words, key=len, reverse=True)
    either = (
        rf"(?<![a-z0-9]){re.escape(word)}s?(?![a-z0-9])" if _ASCII.fullmatch(word) else re.escape(word)
        for word in longest_first
    )
    return re.compile("|".join(either), re.IGNORECASE)
