"""The alert, and when it is raised, gets worse and is cleared (QLT-03). Pure."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import DateTime, Numeric, Text
from sqlmodel import Field, SQLModel
from standards.verdicts import Bounds


class Level(StrEnum):
    """The words behind the contract's AlertLevel."""

    WARNING = "warning"
    BREACH = "breach"


class Alert(SQLModel):
    """One figure out of bounds in one region, until it is back. `AlertRow` stores exactly these fields."""

    alert_id: UUID = Field(primary_key=True)
    version: int = 1
    indicator: str = Field(sa_type=Text)
    region: str = Field(sa_type=Text)
    level: Level = Field(sa_type=Text)
    # User id of the region's supervisor.
    responsible: str = Field(sa_type=Text)
    # Whose figure raised it.
    period: str = Field(sa_type=Text)
    # The figure that moved it last.
    value: Decimal = Field(sa_type=Numeric)
    sample: int
    standards_version: str = Field(sa_type=Text)
    raised_at: datetime = Field(sa_type=DateTime(timezone=True))
    cleared_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    improvement_id: UUID | None = Field(default=None, unique=True)
    # As complaints told it last; empty before.
    improvement_state: str = Field(default="", sa_type=Text)
    improvement_version: int = 0


class Move(StrEnum):
    """What becomes of an alert when its figure has moved."""

    RAISE = "raise"
    WORSEN = "worsen"
    CLEAR = "clear"
    NOTHING = "nothing"


def next_move(open_level: Level | None, bounds: Bounds, sample: int, required: int, value: Decimal | None) -> Move:
    """One alert for one departure: it can get worse, and is cleared only when the figure is well within bounds again.

    A figure that rests on less than `required` subjects says too little to move anything.
    """
    if value is None or sample < required:
        return Move.NOTHING
    if bounds.is_comfortable(value):
        return Move.NOTHING if open_level is None else Move.CLEAR
    if open_level is None:
        return Move.RAISE
    return Move.WORSEN if open_level is Level.WARNING and not bounds.holds(value) else Move.NOTHING


def level_of(bounds: Bounds, value: Decimal) -> Level:
    """Of a value that is not comfortable."""
    return Level.WARNING if bounds.holds(value) else Level.BREACH
