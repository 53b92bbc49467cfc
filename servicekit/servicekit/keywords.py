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
        self._rules = tuple(rules)
        # Words in lower case with their pattern and rule, by their first character. Most are not in a text, and looking
        # whether they could be costs a fraction of the pattern.
        self._words: defaultdict[str, list[tuple[str, re.Pattern[str], str]]] = defaultdict(list)
        for name, rule in rules.items():
            for group in rule.words.values():
                for word in group:
                    lowered = word.lower()
                    self._words[lowered[0]].append((lowered, _pattern(word), name))

    def read(self, text: str) -> list[Found]:
        """Every rule that `text` fulfils, in the order of the rules, with the first word that fulfils it.

        Of words that begin at the same place it is the longest.
        """
        lowered = text.lower()
        firsts: dict[str, tuple[int, int, str]] = {}
        for character in self._words.keys() & set(lowered):
            for word, pattern, rule in self._words[character]:
                if word in lowered and (match := pattern.search(text)) is not None:
                    found = (match.start(), -len(word), match[0])
                    firsts[rule] = min(firsts.get(rule, found), found)
        return [Found(rule, firsts[rule][-1]) for rule in self._rules if rule in firsts]


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


def _pattern(word: str) -> re.Pattern[str]:
    """An English word stands alone, singular or plural; Chinese has no gaps between words."""
    escaped = re.escape(word)
    return re.compile(rf"(?<![a-z0-9]){escaped}s?(?![a-z0-9])" if _ASCII.fullmatch(word) else escaped, re.IGNORECASE)
