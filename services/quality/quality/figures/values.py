"""From thousandths to figures in an indicator's unit, and what they are worth (QLT-01). Pure."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from standards.indicators import Indicator, Unit
from standards.verdicts import Bounds

from quality.figures.contributions import NO, ONE, YES
from standards import Standards

# What a figure is rounded to, for judging as for showing: nobody shall see 95.0000 in breach of 95.
PLACES = Decimal("0.0001")
PER_CENT = 100
_SECONDS: dict[Unit, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Verdict(StrEnum):
    """The words behind the contract's Verdict."""

    OBSERVED = "observed"
    NO_DATA = "no_data"
    KEPT = "kept"
    NEAR = "near"
    BREACHED = "breached"
    NOT_MEASURED = "not_measured"


def figure_of(indicator: Indicator, sample: int, total: int) -> Decimal | None:
    """What contributions of `total` thousandths come to; None without any, but no count is a count of zero."""
    if indicator.formula.summary == "count":
        return Decimal(sample)
    if not sample:
        return None
    mean = Decimal(total) / sample / ONE
    figure = mean * PER_CENT if indicator.formula.summary == "share" else mean / _seconds(indicator)
    return figure.quantize(PLACES, ROUND_HALF_UP)


def threshold_of(indicator: Indicator, standards: Standards) -> Decimal | None:
    """In thousandths: the worst contribution that does not fail; None where nothing can.

    A share's is yes, or no of what there should be few of; a time's or value's is the level that its mean must keep.
    """
    if indicator.direction is None:
        return None
    if indicator.formula.summary == "share":
        return Decimal(YES if indicator.direction == "at_least" else NO)
    bounds = standards.bounds(indicator.name)
    return bounds.breach * _seconds(indicator) * ONE if bounds else None


def verdict_of(bounds: Bounds | None, sample: int, value: Decimal | None) -> Verdict:
    if bounds is None:
        return Verdict.OBSERVED
    if value is None or not sample:
        return Verdict.NO_DATA
    if not bounds.holds(value):
        return Verdict.BREACHED
    return Verdict.KEPT if bounds.is_comfortable(value) else Verdict.NEAR


def _seconds(indicator: Indicator) -> int:
    """In one of the indicator's unit of time; 1 for what is no time."""
    return _SECONDS.get(indicator.unit, 1)
