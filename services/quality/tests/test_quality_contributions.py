"""What a subject contributes depends on what happened, never on how it was told (QLT-02)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality.figures.contributions import Observation, Subject, contributions_of

from standards import load

STANDARDS = load()
START = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = {"percent", "score", "satisfaction"}
WORDS = st.one_of(st.booleans(), st.sampled_from(["fault_repair", "internet_access", "cn.gd"]))


@st.composite
def _observations(draw) -> Observation:
    mark = STANDARDS.marks[draw(st.sampled_from(sorted(STANDARDS.marks)))]
    facts = {name: draw(st.integers(1, 5) if name in NUMBERS else WORDS) for name in mark.keeps}
    if mark.name == "clock_missed":
        facts = {"clock": draw(st.sampled_from(["handling", "filing", "complaint_result", "work_order_handling"]))}
    at = START + timedelta(minutes=draw(st.integers(0, 5000)))
    return Observation(mark.name, UUID(int=draw(st.integers(0, 2**64))), at, draw(st.integers(1, 9)), facts)


def _contributed(observations) -> list:
    return list(contributions_of(Subject("s", observations), STANDARDS))


@settings(max_examples=100)
@given(st.data())
def test_qlt02_any_order_and_any_number_of_copies_come_to_the_same(data):
    once = data.draw(st.lists(_observations(), max_size=12, unique_by=lambda each: each.event_id))
    copies = data.draw(st.lists(st.sampled_from(once), max_size=12)) if once else []
    shuffled = data.draw(st.permutations([*once, *copies]))
    assert _contributed(shuffled) == _contributed(once)


def _seen(*marks: tuple[str, float, dict]) -> dict[str, tuple[float, int]]:
    """Indicator → (hours after the start, value) of what bears the marks, given with their hours."""
    observations = [
        Observation(mark, uuid4(), START + timedelta(hours=hours), number, facts)
        for number, (mark, hours, facts) in enumerate(marks)
    ]
    return {each.indicator: ((each.at - START) / timedelta(hours=1), each.value) for each in _contributed(observations)}


FAULT = ("case_opened", 0, {"kind": "fault_repair", "region": "cn.gd"})
MISSED = ("clock_missed", 4, {"clock": "fault_response"})


def test_a_miss_counts_at_once_and_stays_where_it_counted():
    assert _seen(FAULT, MISSED)["fault_response_in_time"] == (4, 0)
    assert _seen(FAULT, MISSED, ("case_assessed", 9, {}))["fault_response_in_time"] == (4, 0)
    assert _seen(FAULT, ("case_assessed", 3, {}))["fault_response_in_time"] == (3, 1000)


def test_what_an_indicator_does_not_mean_does_not_count():
    inquiry = ("case_opened", 0, {"kind": "inquiry"})
    assert "fault_response_in_time" not in _seen(inquiry, ("case_assessed", 3, {}))
    assert "ordinary_response_in_time" not in _seen(FAULT, ("case_assessed", 3, {}))


def test_times_are_whole_thousandths_of_seconds():
    started = ("case_handling_started", 1, {})
    seen = _seen(FAULT, started, ("case_delivered", 2.5, {}))
    assert seen["mean_handling_time"] == (2.5, 5_400_000)
    assert "mean_handling_time" not in _seen(FAULT, ("case_delivered", 2, {})), "nobody knows since when"


@pytest.mark.parametrize(
    ("indicator", "marks", "value"),
    [
        ("satisfaction", [("case_rated", 1, {"score": 4})], 1000),
        ("satisfaction", [("case_rated", 1, {"score": 3})], 0),
        ("survey_response_rate", [("case_surveyed", 1, {})], 0),
        ("survey_response_rate", [("case_surveyed", 1, {}), ("case_rated", 2, {"score": 1})], 1000),
        ("handling_accuracy", [("case_delivered", 1, {}), ("case_reopened", 2, {})], 0),
        ("repeat_report_rate", [FAULT], 0),
        ("repeat_report_rate", [("case_opened", 0, {"repeat_of": "x"})], 1000),
        ("plan_stability", [("work_order_assigned", 0, {}), ("work_order_assigned", 1, {"taken_from": "li"})], 0),
        ("filing_rate", [("clock_missed", 24, {"clock": "filing"})], 0),
        ("filing_rate", [("clock_missed", 24, {"clock": "filing"}), ("record_filed", 30, {})], 1000),
        ("record_timeliness", [("clock_missed", 24, {"clock": "filing"}), ("record_filed", 30, {})], 0),
        ("complaint_satisfaction", [("complaint_settled", 1, {"satisfaction": 5})], 1000),
        ("exam_score_mean", [("exam_marked", 1, {"percent": 87.5, "passed": True})], 87_500),
        ("cases_accepted", [FAULT], 1000),
    ],
)
def test_qlt01_formulas_mean_what_their_definitions_say(indicator, marks, value):
    assert _seen(*marks)[indicator][1] == value


def test_an_unanswered_rating_is_no_rating():
    assert "complaint_satisfaction" not in _seen(("complaint_settled", 1, {}))
