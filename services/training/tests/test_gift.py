"""GIFT files: what is read, and what is refused with its line (TRN-03)."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault
from training.question_banks.gift import read_gift
from training.question_banks.question import Kind

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "training" / "gift"
KINDS = {
    "MC": {Kind.SINGLE, Kind.MULTIPLE},
    "TF": {Kind.TRUE_FALSE},
    "Short": {Kind.SHORT_ANSWER},
    "Numerical": {Kind.NUMERIC},
    "Matching": {Kind.MATCHING},
    "Essay": {Kind.ESSAY},
}


def one(gift: str):
    (question,) = read_gift(gift).questions
    return question


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.gift")), ids=lambda path: path.stem)
def test_public_samples_are_read_as_others_read_them(sample):
    """Against what the gift-pegjs project says of its own samples."""
    expected = [entry for entry in json.loads(sample.with_suffix(".json").read_text()) if entry["type"] in KINDS]
    if not expected:
        with pytest.raises(Fault, match="gift_without_questions"):
            read_gift(sample.read_text())
        return
    # The samples repeat questions; here each is kept once.
    found = [question.kind for question in read_gift(sample.read_text()).questions]
    wanted = [KINDS[entry["type"]] for entry in expected]
    assert len(found) <= len(wanted)
    assert set(found) <= set().union(*wanted)
    assert all(kinds & set(found) for kinds in wanted)


def test_names_formats_categories_and_escapes():
    question = one("$CATEGORY: fibre/safety\n\n// a comment\n::the name::[html]1 \\= 1\\: \\{set\\}\\nnew {T}")
    assert (question.name, question.text_format, question.category) == ("the name", "html", "fibre/safety")
    assert question.text == "1 = 1: {set}\nnew"
    assert one("{=Asia} is large").text == "_____ is large"


def test_weights_and_feedback():
    question = one("Who? {~%50%a#half ~%50%b ~%-100%c#no####all}")
    assert [(choice.text, choice.percent) for choice in question.choices] == [("a", 50), ("b", 50), ("c", -100)]
    assert question.kind == Kind.MULTIPLE


@pytest.mark.parametrize(
    ("answers", "lowest", "highest"),
    [("#4", 4, 4), ("#3:2", 1, 5), ("#-1.5..2", -1.5, 2), ("#\n=3:0.5 #good\n~#no", 2.5, 3.5)],
)
def test_numbers(answers, lowest, highest):
    (number,) = one(f"How many? {{{answers}}}").numbers
    assert (number.lowest, number.highest, number.percent) == (lowest, highest, 100)


def test_ordering_keeps_its_order():
    assert one("Order {>3 ALL\nstrip\nclean\n}").items == ("strip", "clean")


def test_descriptions_are_counted_and_left_out():
    file = read_gift("::read this::Nothing to answer.\n\nYes? {T}")
    assert (len(file.questions), file.descriptions) == (1, 1)


def refusal_of(gift: str) -> Fault | None:
    try:
        assert read_gift(gift).questions
    except Fault as fault:
        return fault
    return None


@given(st.text(alphabet="{}=~#%:->\\\n /[]TF1a.", max_size=80))
def test_every_text_is_read_or_refused_with_a_code(text):
    fault = refusal_of(text)
    if fault is not None and fault.code != "gift_without_questions":
        assert fault.code.startswith("gift_")
        assert 1 <= int(fault.params["line"]) <= len(text.splitlines())
