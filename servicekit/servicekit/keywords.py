"""Which keyword rules of the standards a text fulfils, and what they speak for together. Pure.

What a rule speaks for is its owner's business: requests (INT-04) and complaints (CMP-02) have rules of their own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

# Weight of the doubt that stands against every finding, so that one weak word never makes certainty.
DOUBT = Decimal(1)
_ASCII = re.compile(r"[\x00-\x7f]+")


class Rule(Protocol):
    """Words by language, as the keyword rules of the standards have them."""

    @property
    def words(self) -> Mapping[Any, Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """One rule that a text fulfils, and the word of the text that did it."""

    rule: str
    word: str


class KeywordReader:
    """Reads texts with one set of rules."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}
        # Words in lower case with their rule, by their first character: looking for those that a text could hold costs
        # a fraction of the patterns, and most rules don't apply.
        self._words: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, rule in rules.items():
            words = [word for group in rule.words.values() for word in group]
            if words:
                self._patterns[name] = _pattern(words)
            for word in map(str.lower, words):
                self._words[word[0]].append((word, name))

    def read(self, text: str) -> list[Found]:
        """Every rule that `text` fulfils, in the order of the rules, with the first word that fulfils it."""
        lowered = text.lower()
        firsts = self._words.keys() & set(lowered)
        promising = {rule for first in firsts for word, rule in self._words[first] if word in lowered}
        return [
            Found(name, found[0])
            for name, pattern in self._patterns.items()
            if name in promising and (found := pattern.search(text)) is not None
        ]


def weigh(votes: Iterable[tuple[str | None, Decimal]], default: str) -> tuple[str, float]:
    """The word with most weight, the first found among equals, and its share of all the weight there is.

    A vote for None is no vote. Without any, the default at confidence 0: a guess.
    """
    scores: dict[str, Decimal] = defaultdict(Decimal)
    for word, weight in votes:
        if word is not None:
            scores[word] += weight
    if not scores:
        return default, 0.0
    best = max(scores, key=lambda name: scores[name])
    return best, float(scores[best] / (sum(scores.values()) + DOUBT))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words. English ones stand alone, singular or plural; Chinese has no gaps between words."""
    longest_first = sorted(words, key=len, reverse=True)
    either = (
        rf"(?<![a-z0-9]){re.escape(word)}s?(?![a-z0-9])" if _ASCII.fullmatch(word) else re.escape(word)
        for word in longest_first
    )
    return re.compile("|".join(either), re.IGNORECASE)
