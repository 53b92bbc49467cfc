"""Whether a figure is good enough: an indicator's levels as numbers (QLT-01, QLT-03)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from standards.indicators import Direction, Indicator
from standards.models import Target
from standards.values import Strictness


@dataclass(frozen=True)
class Bounds:
    """What a figure is judged by, as numbers."""

    direction: Direction
    breach: Decimal
    warning: Decimal

    def holds(self, value: Decimal) -> bool:
        """Not in breach."""
        return _reaches(value, self.breach, self.direction)

    def is_comfortable(self, value: Decimal) -> bool:
        """Neither in breach nor near one."""
        return self.holds(value) and _reaches(value, self.warning, self.direction)


def _reaches(value: Decimal, level: Decimal, direction: Direction) -> bool:
    match direction:
        case "at_least":
            return value >= level
        case "at_most":
            return value <= level
        case "below":
            return value < level


def bounds_of(indicator: Indicator, targets: Mapping[str, Target]) -> Bounds | None:
    """The levels as numbers; without a warning level a warning is a breach. None where nothing is asked of it.

    Raises ValueError where a strictness has no figure, or a warning would come later than the breach.
    """
    levels = indicator.levels
    if levels is None or indicator.direction is None:
        return None
    target = targets[levels.target] if levels.target else None
    if target is not None and (target.unit, target.direction) != (indicator.unit, indicator.direction):
        raise ValueError(f"unit and direction must be those of the target {target.name}")
    breach = _figure(levels.breach, target)
    warning = breach if levels.warning is None else _figure(levels.warning, target)
    bounds = Bounds(indicator.direction, breach, warning)
    if not _reaches(warning, breach, "at_least" if indicator.direction == "at_least" else "at_most"):
        raise ValueError("a warning must not come later than the breach")
    return bounds


def _figure(level: Decimal | Strictness, target: Target | None) -> Decimal:
    if isinstance(level, Decimal):
        return level
    figure = target.figure(level) if target is not None else None
    if figure is None:
        raise ValueError(f"the target gives no {level} figure")
    return figure
