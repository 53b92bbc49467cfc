"""An engineer and their qualifications: every fact that is kept about them (DSP-02)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class Engineer(SQLModel):
    """An engineer as a value. `EngineerRow` stores exactly these fields."""

    engineer_id: UUID = Field(primary_key=True)
    # Grows with every change, their load included: whoever chose them by an older version has to choose again.
    version: int
    # Business name or staff number, as customers see it.
    display_name: str
    # What they sign in with; one engineer a person.
    user_id: str = Field(unique=True)
    # They work in this region and all below it.
    territory: str = Field(index=True)
    on_shift: bool = False
    # Work orders that are assigned to them and not finished.
    open_work_orders: int = 0
    last_assigned_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    registered_at: datetime = Field(sa_type=UTC_TIME)


class Qualification(SQLModel):
    """The right to do work of one skill up to one level, for a time. `QualificationRow` stores exactly these fields."""

    engineer_id: UUID = Field(primary_key=True)
    skill: str = Field(primary_key=True)
    level: str
    valid_until: datetime = Field(sa_type=UTC_TIME)
    revoked: bool = False
    # Why it was revoked.
    revoked_reason: str = Field(default="", sa_type=Text)
    # The certificate that it rests on; None when somebody granted it by hand.
    certificate_id: UUID | None = Field(default=None, index=True)

    def covers(self, skill: str, level: str, *, ranks: Mapping[str, int], now: datetime) -> bool:
        """It allows work of this skill and level at this moment. A level includes those of lower rank."""
        return (
            self.skill == skill
            and not self.revoked
            and now < self.valid_until
            and ranks.get(self.level, 0) >= ranks[level]
        )
