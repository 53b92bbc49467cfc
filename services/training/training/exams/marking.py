"""What an answer is worth: by machine for all kinds but essays, by agreement of markers for those (TRN-04). Pure."""

import re
import unicodedata
from collections.abc import Sequence
from statistics import fmean, median

from training.exams.paper import PaperQuestion, Response
from training.question_banks.question import WHOLE, Kind, Question

MARKERS = 2
# Weights such as 33.33333 % times three are meant to be the whole.
_DIGITS = 4
_SPACES = re.compile(r"\s+")


def needs_markers(asked: PaperQuestion, response: Response | None) -> bool:
    """Whether people have to read it. An essay that was not written is worth nothing without anybody's view."""
    return asked.question.kind == Kind.ESSAY and response is not None


def score_of(asked: PaperQuestion, response: Response | None) -> float:
    """Points reached, from 0 to the question's points. Not for essays that need markers."""
    share = 0.0 if response is None else _share(asked, response)
    return round(asked.points * min(max(share, 0.0), 1.0), _DIGITS)


def agreed_score(marks: Sequence[float], points: int, *, apart_percent: float) -> float | None:
    """What the markers of an essay agree on; None while another view is needed.

    The mean of two that are close enough; with a third one the one in the middle.
    """
    if len(marks) < MARKERS:
        return None
    if len(marks) == MARKERS:
        is_close = abs(marks[0] - marks[1]) <= points * apart_percent / WHOLE
        return fmean(marks) if is_close else None
    return float(median(marks))


def percent_of(score: float, points: int) -> float:
    """Reached share of the paper's points in percent, to two digits."""
    return round(score / points * WHOLE, 2) if points else 0.0


def _share(asked: PaperQuestion, response: Response) -> float:
    question = asked.question
    # Options by their place in the key, as the candidate chose them by their place on the paper.
    chosen = [asked.shown[number - 1] if number else None for number in response.chosen]
    match question.kind:
        case Kind.SINGLE | Kind.MULTIPLE:
            return round(sum(question.choices[index].percent for index in chosen if index is not None) / WHOLE, _DIGITS)
        case Kind.TRUE_FALSE:
            return float(response.truth == question.is_true)
        case Kind.NUMERIC:
            return _best_number(question, response.number)
        case Kind.SHORT_ANSWER:
            return _best_text(question, response.text)
        case Kind.MATCHING:
            answers = [None if index is None else question.options[index] for index in chosen]
            pairs = zip(question.prompts, answers, strict=True)
            return fmean(pair.answer == answer for pair, answer in pairs)
        case Kind.ORDERING:
            return fmean(index == place for place, index in enumerate(chosen))
        case Kind.ESSAY:
            return 0.0


def _best_number(question: Question, number: float | None) -> float:
    if number is None:
        return 0.0
    fitting = [known.percent for known in question.numbers if known.lowest <= number <= known.highest]
    return max(fitting, default=0.0) / WHOLE


def _best_text(question: Question, text: str) -> float:
    """The first fitting answer counts, as in Moodle: `*` at the end catches what nothing before it did."""
    given = _normal(text)
    for known in question.accepted:
        pattern = ".*".join(re.escape(part) for part in _normal(known.text).split("*"))
        if re.fullmatch(pattern, given, re.DOTALL):
            return known.percent / WHOLE
    return 0.0


def _normal(text: str) -> str:
    """Full-width or half-width, upper or lower case, however many spaces: the same answer."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()
