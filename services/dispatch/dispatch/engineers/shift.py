"""When an engineer will be at work: what appointments are planned by (DSP-05)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Shift(SQLModel):
    """A planned shift as a value. `ShiftRow` stores exactly these fields."""

    shift_id: UUID = Field(primary_key=True)
    engineer_id: UUID = Field(index=True)
    starts_at: datetime = Field(sa_type=DateTime(timezone=True))
    # Moved forward when they go home early.
    ends_at: datetime = Field(sa_type=DateTime(timezone=True))
