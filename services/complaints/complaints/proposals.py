"""Class and severity proposed from a complaint's own words, in Chinese and English (CMP-02, CMP-03). Pure.

The words and their weights are data (standards/keywords.yaml). A proposal is only that: a person confirms or overrides
it, so the words that led to it come along.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from servicekit.keywords import Found, KeywordReader, weigh

from standards import Standards

# What a text that says nothing to us is taken for; its confidence tells that it is a guess.
DEFAULT_CLASS = "service_quality"
DEFAULT_SEVERITY = "minor"


@dataclass(frozen=True)
class Proposal:
    """Words of standards/classes.yaml. `confidence`: from 0 (a guess) towards 1. `evidence`: words of the text."""

    complaint_class: str
    severity: str
    confidence: float
    evidence: tuple[str, ...]


class Proposer:
    """Reads complaints with the keyword rules of the standards."""

    def __init__(self, standards: Standards) -> None:
        self._rules = standards.complaint_keywords
        self._reader = KeywordReader(standards.complaint_keywords)

    def propose(self, text: str) -> Proposal:
        """What `text` complains about, and how grave it is."""
        return self.judge(self._reader.read(text))

    def judge(self, found: Iterable[Found]) -> Proposal:
        """The same from keywords that somebody else found; rules that are not known here say nothing."""
        known = [each for each in found if each.rule in self._rules]
        rules = [self._rules[each.rule] for each in known]
        complaint_class, class_confidence = weigh(
            ((rule.complaint_class, rule.weight) for rule in rules), DEFAULT_CLASS
        )
        severity, severity_confidence = weigh(((rule.severity, rule.weight) for rule in rules), DEFAULT_SEVERITY)
        # Most complaints are minor and say nothing about it; only words that speak for more are doubted.
        confidence = class_confidence if severity_confidence == 0 else (class_confidence + severity_confidence) / 2
        evidence = tuple(dict.fromkeys(each.word for each in known))
        return Proposal(complaint_class, severity, round(confidence, 3), evidence)
