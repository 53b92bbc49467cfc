"""How hard a question is, and how well it tells those who know from those who don't (TRN-03). Pure.

Difficulty is the mean share of the points that was reached; discrimination the correlation of that share with the share
reached in the rest of the paper: classical test theory's item-rest correlation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean

# Below three answers a correlation says nothing.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one candidate reached in one question, and in the rest of the paper; shares from 0 to 1."""

    share: float
    rest: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Both are 0 without answers; discrimination also where nothing varies."""

    answers: int
    difficulty: float
    discrimination: float


def figures_of(outcomes: Sequence[Outcome]) -> Figures:
    """The figures of one question over everybody who was asked it."""
    if not outcomes:
        return Figures(0, 0.0, 0.0)
    shares = [outcome.share for outcome in outcomes]
    return Figures(len(outcomes), fmean(shares), _correlation(shares, [outcome.rest for outcome in outcomes]))


def _correlation(shares: Sequence[float], rests: Sequence[float]) -> float:
    if len(shares) < FEWEST:
        return 0.0
    try:
        return correlation(shares, rests)
    except StatisticsError:
        return 0.0
