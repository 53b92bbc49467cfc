"""Class and severity from a complaint's words, in both languages (CMP-02, CMP-03)."""

import pytest
from complaints.proposals import DEFAULT_CLASS, DEFAULT_SEVERITY, Proposer
from hypothesis import given
from hypothesis import strategies as st
from servicekit.keywords import Found

from standards import load

PROPOSER = Proposer(load())


@pytest.mark.parametrize(
    ("text", "complaint_class", "severity"),
    [
        ("宽带反复断网", "technical_problem", "medium"),
        ("My internet drops out again and again, no internet", "technical_problem", "medium"),
        ("客服态度恶劣，不耐烦", "service_attitude", "minor"),
        ("The agent was rude", "service_attitude", "minor"),
        ("我的身份证号被公开，隐私泄露", "service_quality", "major"),
        ("You leaked my personal data", "service_quality", "major"),
        ("乱扣费，账单不对", "other", "minor"),
        ("来回跑了三趟，手续太多", "service_process", "minor"),
        ("您好", DEFAULT_CLASS, DEFAULT_SEVERITY),
    ],
)
def test_what_it_is_taken_for(text, complaint_class, severity):
    proposal = PROPOSER.propose(text)
    assert (proposal.complaint_class, proposal.severity) == (complaint_class, severity)
    assert all(word.lower() in text.lower() for word in proposal.evidence)


def test_a_guess_has_no_confidence():
    assert PROPOSER.propose("您好").confidence == 0


@given(st.text(max_size=200))
def test_any_text_gets_known_words_and_a_confidence(text):
    classes = load().classes
    proposal = PROPOSER.propose(text)
    assert proposal.complaint_class in classes.complaint_classes
    assert proposal.severity in classes.complaint_severities
    assert 0 <= proposal.confidence < 1


def test_keywords_found_elsewhere_are_judged_the_same_and_unknown_rules_say_nothing():
    found = [Found("outage_words", "断网"), Found("of_tomorrow", "x"), Found("repeated_words", "反复")]
    assert PROPOSER.judge(found) == PROPOSER.propose("断网，反复")
