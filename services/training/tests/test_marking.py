"""Drawing papers and marking answers (TRN-04), and how questions do (TRN-03). Pure."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault
from training.exams.marking import agreed_score, score_of
from training.exams.paper import PaperQuestion, Response, Section, draw_paper, require_fits
from training.question_banks.gift import read_gift
from training.question_banks.question import Kind
from training.question_banks.statistics import Outcome, figures_of

GIFT = """
$CATEGORY: a

one {~wrong =right ~%50%half}

many {~%33.33333%x ~%33.33333%y ~%33.33334%z ~%-50%no}

$CATEGORY: a/b

two {~wrong =right}

true {T}

number {#=5:0 =%50%5:2}

short {=Fibre =%40%f* }

match {=1 -> one =2 -> two = -> three}

order {>
p
q
r
}

$CATEGORY: ab

three {~wrong =right}
"""
BANK = {UUID(int=number): question for number, question in enumerate(read_gift(GIFT).questions)}
SEEDS = st.integers(min_value=0)


def ask(name: str, seed: int) -> PaperQuestion:
    """The question of this name alone on a paper worth 12 points."""
    bank = {key: question for key, question in BANK.items() if question.name == name}
    (asked,) = draw_paper([Section(kind=next(iter(bank.values())).kind, count=1, points=12)], bank, Random(seed))
    return asked


def choose(asked: PaperQuestion, *texts: str) -> Response:
    return Response(chosen=tuple(asked.choices.index(text) + 1 for text in texts))


@given(SEEDS)
def test_what_is_right_does_not_depend_on_the_order_shown(seed):
    for name, texts, score in (
        ("one", ["right"], 12),
        ("one", ["half"], 6),
        ("one", ["wrong"], 0),
        ("many", ["z", "x", "y"], 12),
        ("many", ["x", "no"], 0),
        ("match", ["one", "two"], 12),
        ("match", ["one", "three"], 6),
        ("order", ["p", "q", "r"], 12),
        ("order", ["p", "r", "q"], 4),
    ):
        asked = ask(name, seed)
        response = choose(asked, *texts)
        require_fits(asked, response)
        assert score_of(asked, response) == score, (name, texts)


@pytest.mark.parametrize(
    ("name", "response", "score"),
    [
        ("true", {"truth": True}, 12),
        ("true", {"truth": False}, 0),
        ("number", {"number": 5}, 12),
        ("number", {"number": 7}, 6),
        ("number", {"number": 7.1}, 0),
        ("short", {"text": " ＦＩＢＲＥ "}, 12),
        ("short", {"text": "fiber"}, 4.8),
        ("match", {"chosen": (0, 0)}, 0),
    ],
)
def test_kinds_without_an_order(name, response, score):
    asked = ask(name, 1)
    require_fits(asked, Response(**response))
    assert score_of(asked, Response(**response)) == score
    assert score_of(asked, None) == 0


@given(
    SEEDS,
    st.lists(st.integers(0, 5), max_size=5),
    st.none() | st.booleans(),
    st.none() | st.floats(allow_nan=False),
    st.text(),
)
def test_whatever_fits_scores_within_the_points(seed, chosen, truth, number, text):
    response = Response(chosen=tuple(chosen), truth=truth, number=number, text=text)
    for question in BANK.values():
        asked = ask(question.name, seed)
        try:
            require_fits(asked, response)
        except Fault:
            continue
        assert 0 <= score_of(asked, response) <= asked.points


@given(SEEDS)
def test_a_paper_follows_its_blueprint(seed):
    blueprint = [
        Section(kind=Kind.SINGLE, count=2, points=3),
        Section(kind=Kind.SINGLE, category="a/b", count=1, points=1),
    ]
    paper = draw_paper(blueprint, BANK, Random(seed))
    # `two` is the only one of a/b, so that the general section has to leave it.
    assert [asked.question.name for asked in paper][2] == "two"
    assert {asked.question.name for asked in paper} == {"one", "two", "three"}
    assert [(asked.position, asked.points) for asked in paper] == [(1, 3), (2, 3), (3, 1)]
    assert paper == draw_paper(blueprint, BANK, Random(seed))


def test_a_category_is_no_prefix_of_another_word():
    with pytest.raises(Fault, match="bank_too_small"):
        draw_paper([Section(kind=Kind.SINGLE, category="a", count=3, points=1)], BANK, Random(0))


@given(st.lists(st.floats(0, 10), min_size=2, max_size=3))
def test_markers_agree_between_their_views(marks):
    agreed = agreed_score(marks, 10, apart_percent=20)
    if agreed is None:
        assert len(marks) == 2
        assert abs(marks[0] - marks[1]) > 2
    else:
        assert min(marks) <= agreed <= max(marks)


def test_statistics_tell_hard_from_easy_and_good_from_bad():
    good = figures_of([Outcome(1, 0.9), Outcome(1, 0.8), Outcome(0, 0.1), Outcome(0, 0.2)])
    assert (good.answers, good.difficulty) == (4, 0.5)
    assert good.discrimination > 0.9
    assert figures_of([Outcome(1, 0.2)] * 5).discrimination == 0
    assert figures_of([]).answers == 0
