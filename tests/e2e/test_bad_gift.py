"""Broken GIFT files: refused with the line and the reason in the caller's language, nothing stored (TRN-03)."""

from __future__ import annotations

from typing import Any

import pytest
from acting import Cast, Place
from schooling import GIFT, TRAINER, make_bank

pytestmark = pytest.mark.e2e

GOOD = "// fine\nWho? {=me}\n\n"
BROKEN = {
    "unclosed": ("When? {=now\n", "gift_brace_unclosed", 4),
    "closed twice": ("When? {=now} or } then\n", "gift_brace_unexpected", 4),
    "no question": ("{=now}\n", "gift_question_empty", 4),
    "no right answer": ("When?\n{~now ~then}", "gift_no_right_answer", 5),
    "half a pair": ("Match {\n=a -> 1\n=b\n}", "gift_pair_incomplete", 6),
    "no number": ("How many? {#many}", "gift_number_invalid", 4),
    "no weight": ("How?\n{~%half%so =thus}", "gift_weight_invalid", 5),
    "one choice": ("How? {~%100%so}", "gift_too_few_answers", 4),
    "no text": ("How? {~ =so}", "gift_answer_empty", 4),
    "a stray word": ("How? {well =so}", "gift_answer_unmarked", 4),
}


@pytest.fixture(scope="module")
def cast(platform: Any) -> Cast:
    """Trainers need no place of their own."""
    return Cast(platform, Place("cn", "broadband_repair"))


@pytest.mark.parametrize("broken", BROKEN, ids=BROKEN)
def test_trn_03_a_broken_file_names_its_line_and_stores_nothing(cast: Cast, broken: str) -> None:
    text, code, line = BROKEN[broken]
    bank = make_bank(cast, broken)
    path = f"/v1/question-banks/{bank['bank_id']}"
    for language, told in (("en", f"Line {line}:"), ("zh-CN", f"第 {line} 行：")):
        answer = cast.ask(TRAINER, f"{path}:import", {"gift": GOOD + text}, language=language)
        assert answer.status_code == 400, answer.text
        problem = answer.json()
        assert (problem["code"], problem["field"]) == (code, "gift")
        assert problem["detail"].startswith(told)
        assert problem["next_step"]
    assert cast.get(TRAINER, path) == bank
    assert cast.get(TRAINER, f"{path}/questions")["questions"] == []


def test_a_file_without_questions_is_refused(platform: Any, cast: Cast) -> None:
    bank = make_bank(cast)
    answer = cast.ask(TRAINER, f"/v1/question-banks/{bank['bank_id']}:import", {"gift": "// nothing here\n"})
    assert answer.json()["code"] == "gift_without_questions"
    platform.assert_nothing_fell_out()


def test_a_broken_file_leaves_what_was_there(platform: Any, cast: Cast) -> None:
    bank = make_bank(cast)
    path = f"/v1/question-banks/{bank['bank_id']}"
    cast.do(TRAINER, f"{path}:import", {"gift": GIFT})
    before = cast.get(TRAINER, f"{path}/questions")
    assert cast.ask(TRAINER, f"{path}:import", {"gift": GIFT + "\nWhen? {=now"}).status_code == 400
    assert cast.get(TRAINER, f"{path}/questions") == before
    assert cast.ask("trainee", f"{path}:import", {"gift": GIFT}).json()["code"] == "role_forbidden"
    platform.assert_nothing_fell_out()
