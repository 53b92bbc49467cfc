"""Indicators refer to what exists, and are judged by the manuals' own figures (QLT-01)."""

from decimal import Decimal

import pytest
from standards.verdicts import Bounds

from standards import StandardsError, load

SATISFACTION = "counts: case_rated, at_least: {case_rated.score: 4}"
MISTAKES = [
    ("kept: [handling]", "kept: [handled]", "unknown clock handled"),
    (SATISFACTION, SATISFACTION.replace("counts: case_rated", "counts: case_praised"), "unknown mark case_praised"),
    (SATISFACTION, SATISFACTION.replace("score: 4", "grade: 4"), "unknown fact case_rated.grade"),
    ("never: [case_reopened]", "since: case_opened", "does not go with what is measured"),
    ("summary: percentile, percentile: 95", "summary: percentile", "says which one"),
    ("summary: count", "summary: mean", "does not go with what is measured"),
    ("target: satisfaction, breach: regulatory", "target: happiness, breach: regulatory", "unknown target happiness"),
    (
        "target: mean_handling_time, breach: internal",
        "target: mean_handling_time, breach: promise",
        "no promise figure",
    ),
    ("target: fault_response_time, breach: promise", "target: satisfaction, breach: promise", "unit and direction"),
    ("breach: 95, warning: 98", "breach: 95, warning: 90", "must not come later"),
    ("owner: service_desk", "owner: nobody", "unknown owner nobody"),
    ("dimensions: [region, team]", "dimensions: [region, crew]", "unknown dimension crew"),
    ("facts: [case_opened.region,", "facts: [case_opened.place,", "unknown fact case_opened.place"),
]


@pytest.mark.parametrize(("old", "new", "reason"), MISTAKES)
def test_a_mistake_is_named_with_its_file_and_reason(broken_copy, old, new, reason):
    with pytest.raises(StandardsError) as caught:
        load(broken_copy("indicators", old, new))
    assert caught.value.file == "indicators.yaml"
    assert reason in caught.value.reason


def test_levels_are_the_figures_of_the_targets():
    standards = load()
    assert standards.bounds("satisfaction") == Bounds("at_least", Decimal(90), Decimal(92))
    assert standards.bounds("mean_handling_time") == Bounds("at_most", Decimal("2.5"), Decimal("2.5"))
    assert standards.bounds("cases_accepted") is None


@pytest.mark.parametrize(
    ("direction", "value", "holds", "comfortable"),
    [
        ("at_least", 92, True, True),
        ("at_least", 91, True, False),
        ("at_least", 89, False, False),
        ("at_most", 89, True, True),
        ("below", 90, False, False),
    ],
)
def test_near_lies_between_warning_and_breach(direction, value, holds, comfortable):
    warning = Decimal(92 if direction == "at_least" else 90)
    bounds = Bounds(direction, Decimal(90), warning)
    assert (bounds.holds(Decimal(value)), bounds.is_comfortable(Decimal(value))) == (holds, comfortable)
