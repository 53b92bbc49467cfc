"""A whole GIFT file, question by question."""

import re
from dataclasses import dataclass

from servicekit.errors import Fault

from training.question_banks.gift.answers import read_answers
from training.question_banks.gift.blocks import Block, find_blocks, plain
from training.question_banks.question import Question

_TITLE = re.compile(r"\s*::(.*?)::", re.DOTALL)
_FORMAT = re.compile(r"\s*\[(html|moodle|markdown|plain)\]")
_GAP = "_____"
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class GiftFile:
    """What a file holds: each question once, and how many texts nobody can answer."""

    questions: tuple[Question, ...]
    descriptions: int


def read_gift(gift: str) -> GiftFile:
    """The questions of a file in order.

    Raises Fault with a `gift_…` code and the line of the first mistake; gift_without_questions when there is nothing to
    ask.
    """
    read = [_read(block) for block in find_blocks(gift)]
    questions = {question.fingerprint: question for question in read if question is not None}
    if not questions:
        raise Fault("gift_without_questions", field="gift")
    return GiftFile(tuple(questions.values()), sum(question is None for question in read))


def _read(block: Block) -> Question | None:
    """The question in a block, or None for a description: a text without an answer part."""
    text, begin, name = block.text, 0, ""
    title = _TITLE.match(text)
    if title is not None:
        name, begin = plain(title[1]), title.end()
    form = _FORMAT.match(text, begin)
    if form is not None:
        begin = form.end()
    opening, closing = _braces(block, begin)
    if opening < 0:
        return None
    before, after = plain(text[begin:opening]), plain(text[closing + 1 :])
    # What follows the answers makes it a text with a gap.
    asked = f"{before} {_GAP} {after}".strip() if after else before
    if not asked:
        raise block.fault("gift_question_empty", begin)
    return Question(
        name=name or asked[:_LONGEST_NAME],
        category=block.category,
        text=asked,
        text_format=form[1] if form else "moodle",
        **read_answers(block, opening + 1, closing),
    )


def _braces(block: Block, begin: int) -> tuple[int, int]:
    """Where the answer part opens and closes; -1 twice without one."""
    braces = [place for place in range(begin, len(block.text)) if block.text[place] in "{}"]
    for place, expected in zip(braces, "{}", strict=False):
        if block.text[place] != expected:
            raise block.fault("gift_brace_unexpected", place)
    match braces:
        case []:
            return -1, -1
        case [opening]:
            raise block.fault("gift_brace_unclosed", opening)
        case [opening, closing]:
            return opening, closing
        case [_, _, further, *_]:
            raise block.fault("gift_brace_unexpected", further)
        case _:
            raise AssertionError(braces)
