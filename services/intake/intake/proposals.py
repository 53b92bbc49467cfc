"""Kind, category and urgency proposed from a request's own words, in Chinese and English (INT-04). Pure.

The words and their weights are data (standards/keywords.yaml). A proposal is only that: a person confirms or overrides
it, so the words that led to it come along.
"""

from dataclasses import dataclass

from servicekit.keywords import Found, KeywordReader, weigh

from standards import Standards

# What a text that says nothing to us is taken for; its confidence tells the assessor that it is a guess.
DEFAULT_KIND = "inquiry"
DEFAULT_CATEGORY = "personalised"
DEFAULT_URGENCY = "normal"


@dataclass(frozen=True)
class Proposal:
    """Words of standards/classes.yaml. `confidence`: from 0 (a guess) towards 1. `evidence`: words of the text."""

    kind: str
    category: str
    urgency: str
    confidence: float
    evidence: tuple[str, ...]


class Proposer:
    """Reads requests with the keyword rules of the standards."""

    def __init__(self, standards: Standards) -> None:
        self._rules = standards.keywords
        self._requests = KeywordReader(standards.keywords)
        self._complaints = KeywordReader(standards.complaint_keywords)

    def propose(self, text: str, *, kind: str = "", category: str = "") -> Proposal:
        """What `text` asks for. A kind or category that the caller states is taken as it is and counts as certain."""
        found = self._requests.read(text)
        rules = [self._rules[each.rule] for each in found]
        kind, kind_confidence = (
            (kind, 1.0) if kind else weigh(((rule.kind, rule.weight) for rule in rules), DEFAULT_KIND)
        )
        category, category_confidence = (
            (category, 1.0) if category else weigh(((rule.category, rule.weight) for rule in rules), DEFAULT_CATEGORY)
        )
        urgency, _ = weigh(((rule.urgency, rule.weight) for rule in rules), DEFAULT_URGENCY)
        confidence = round((kind_confidence + category_confidence) / 2, 3)
        return Proposal(kind, category, urgency, confidence, tuple(dict.fromkeys(each.word for each in found)))

    def complaint_keywords(self, text: str) -> list[Found]:
        """What complaints needs to know of a complaint's words, without the words themselves (CMP-02)."""
        return self._complaints.read(text)
