"""The answer part of a GIFT question, what stands between its braces."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from training.question_banks.gift.blocks import Block, plain
from training.question_banks.question import WHOLE, Kind, NumberRange, Pair, WeightedText

_TRUTH = re.compile(r"\s*(T|TRUE|F|FALSE)\s*(#.*)?", re.IGNORECASE | re.DOTALL)
_MARK = re.compile(r"[=~]")
_WEIGHT = re.compile(r"\s*%([^%\n]*)%")
_FORMAT = re.compile(r"\s*\[(?:html|moodle|markdown|plain)\]")
_FEEDBACK_OF_ALL = "####"
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its mark (`=` right, `~` wrong), its weight if it gives one, its text with escapes set aside."""

    mark: str
    percent: float | None
    text: str
    # Where it begins in the block.
    offset: int


def read_answers(block: Block, start: int, end: int) -> dict[str, Any]:
    """What the part from `start` to `end` of the block says: the kind, and the fields of that kind.

    Raises Fault with a `gift_…` code and the line for what GIFT does not allow.
    """
    body = block.text[start:end].partition(_FEEDBACK_OF_ALL)[0]
    if not body.strip():
        return {"kind": Kind.ESSAY}
    start += len(body) - len(body.lstrip())
    body = body.strip()
    if body.startswith("#"):
        return {"kind": Kind.NUMERIC, "numbers": _numbers(block, body[1:], start + 1)}
    if body.startswith(">"):
        return {"kind": Kind.ORDERING, "items": _items(block, body, start)}
    truth = _TRUTH.fullmatch(body)
    if truth is not None:
        return {"kind": Kind.TRUE_FALSE, "is_true": truth[1].upper().startswith("T")}
    answers = list(_split(block, body, start))
    if any(answer.mark == "~" for answer in answers):
        return _choice(block, answers, start)
    if any("->" in answer.text for answer in answers):
        return {"kind": Kind.MATCHING, "pairs": _pairs(block, answers, start)}
    accepted = [_weighted(block, answer, default=WHOLE) for answer in answers]
    _require_right(block, accepted, start)
    return {"kind": Kind.SHORT_ANSWER, "accepted": accepted}


def _split(block: Block, body: str, start: int) -> Iterator[Answer]:
    """The answers of a body; one without any mark is a single right answer."""
    marks = [found.start() for found in _MARK.finditer(body)]
    if not marks:
        yield _answer(block, "=", body, start)
        return
    if body[: marks[0]].strip():
        raise block.fault("gift_answer_unmarked", start)
    for place, following in zip(marks, [*marks[1:], len(body)], strict=True):
        yield _answer(block, body[place], body[place + 1 : following], start + place)


def _answer(block: Block, mark: str, text: str, offset: int) -> Answer:
    weight = _WEIGHT.match(text)
    percent = None
    if weight is not None:
        percent = _number(weight[1])
        if percent is None or abs(percent) > WHOLE:
            raise block.fault("gift_weight_invalid", offset)
        text = text[weight.end() :]
    return Answer(mark, percent, _FORMAT.sub("", text.partition("#")[0], count=1), offset)


def _weighted(block: Block, answer: Answer, *, default: float) -> WeightedText:
    text = plain(answer.text)
    if not text:
        raise block.fault("gift_answer_empty", answer.offset)
    return WeightedText(text=text, percent=default if answer.percent is None else answer.percent)


def _choice(block: Block, answers: list[Answer], start: int) -> dict[str, Any]:
    """As in Moodle, one `=` makes it a question with one right answer; weights alone one with several."""
    choices = [_weighted(block, answer, default=WHOLE if answer.mark == "=" else 0.0) for answer in answers]
    if len(choices) < _FEWEST:
        raise block.fault("gift_too_few_answers", start)
    _require_right(block, choices, start)
    is_single = any(answer.mark == "=" for answer in answers)
    return {"kind": Kind.SINGLE if is_single else Kind.MULTIPLE, "choices": choices}


def _require_right(block: Block, answers: list[WeightedText], start: int) -> None:
    if not any(answer.percent > 0 for answer in answers):
        raise block.fault("gift_no_right_answer", start)


def _pairs(block: Block, answers: list[Answer], start: int) -> list[Pair]:
    pairs = []
    for answer in answers:
        prompt, arrow, belonging = answer.text.partition("->")
        if not arrow or not belonging.strip():
            raise block.fault("gift_pair_incomplete", answer.offset)
        pairs.append(Pair(prompt=plain(prompt), answer=plain(belonging)))
    if sum(bool(pair.prompt) for pair in pairs) < _FEWEST:
        raise block.fault("gift_too_few_answers", start)
    return pairs


def _items(block: Block, body: str, start: int) -> list[str]:
    """The first line holds the plugin's settings, every further one an item, in the right order."""
    items = [plain(line) for line in body.split("\n")[1:] if line.strip()]
    if len(items) < _FEWEST:
        raise block.fault("gift_too_few_answers", start)
    return items


def _numbers(block: Block, body: str, start: int) -> list[NumberRange]:
    if not body.strip().startswith(("=", "~")):
        return [_range(block, re.split("[~#]", body)[0], WHOLE, start)]
    # A `~` answer only carries the feedback for all other numbers.
    answers = [answer for answer in _split(block, body, start) if answer.mark == "="]
    ranges = [
        _range(block, answer.text, WHOLE if answer.percent is None else answer.percent, answer.offset)
        for answer in answers
    ]
    if not any(found.percent > 0 for found in ranges):
        raise block.fault("gift_no_right_answer", start)
    return ranges


def _range(block: Block, text: str, percent: float, offset: int) -> NumberRange:
    """`1..5`, `3:2` for three with a tolerance of two, or just `3`."""
    if ".." in text:
        low, _, high = text.partition("..")
        lowest, highest = _number(low), _number(high)
    else:
        middle, _, around = plain(text).partition(":")
        value, tolerance = _number(middle), _number(around or "0")
        if value is None or tolerance is None:
            raise block.fault("gift_number_invalid", offset)
        lowest, highest = value - abs(tolerance), value + abs(tolerance)
    if lowest is None or highest is None or lowest > highest:
        raise block.fault("gift_number_invalid", offset)
    return NumberRange(lowest=lowest, highest=highest, percent=percent)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None
