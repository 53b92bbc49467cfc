"""Kind, category and urgency from the text, in both languages (INT-04)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake.proposals import Proposer

from standards import Standards, load

PROPOSER = Proposer(load())


@pytest.mark.parametrize(
    ("text", "kind", "category"),
    [
        ("家里宽带断网了，光猫红灯一直闪", "fault_repair", "internet_access"),
        ("My broadband is not working since today, the modem shows a red light", "fault_repair", "internet_access"),
        ("请问这个月还剩多少流量，怎么查询", "inquiry", "data"),
        ("How much does roaming cost? A question about my data plan", "inquiry", "data"),
    ],
)  # fmt: skip
def test_int04_proposes_from_the_words(text: str, kind: str, category: str) -> None:
    proposal = PROPOSER.propose(text)
    assert (proposal.kind, proposal.category) == (kind, category)
    assert 0 < proposal.confidence < 1
    assert all(word.lower() in text.lower() for word in proposal.evidence)
    assert proposal.evidence


def test_int04_urgent_words_raise_the_urgency() -> None:
    assert PROPOSER.propose("宽带断了，非常紧急，老人要用电话急救").urgency in {"high", "critical"}
    assert PROPOSER.propose("宽带有点慢").urgency == "normal"


def test_int04_a_text_that_says_nothing_is_marked_as_a_guess() -> None:
    proposal = PROPOSER.propose("……")
    assert (proposal.kind, proposal.confidence, proposal.evidence) == ("inquiry", 0.0, ())


def test_int04_what_the_caller_states_stands() -> None:
    proposal = PROPOSER.propose("宽带断网", kind="inquiry", category="mobile")
    assert (proposal.kind, proposal.category, proposal.confidence) == ("inquiry", "mobile", 1.0)


def test_int04_english_words_stand_alone() -> None:
    assert PROPOSER.propose("wifis").evidence == ("wifis",)
    assert PROPOSER.propose("routerish").evidence == ()


@given(st.text(max_size=300))
def test_int04_any_text_gets_known_words(text: str) -> None:
    standards: Standards = load()
    proposal = PROPOSER.propose(text)
    assert proposal.kind in standards.kinds
    assert proposal.category in standards.categories
    assert proposal.urgency in standards.urgencies
    assert 0 <= proposal.confidence <= 1
