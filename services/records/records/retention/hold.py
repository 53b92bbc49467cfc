"""A legal hold: while it stands, the record is not destroyed."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class Hold(SQLModel):
    """A hold as a value. `HoldRow` stores exactly these fields."""

    hold_id: UUID = Field(primary_key=True)
    version: int
    record_id: UUID
    record_number: str
    region: str
    reason: str = Field(sa_type=Text)
    placed_by: str
    placed_at: datetime = Field(sa_type=UTC_TIME)
    # Empty while it stands.
    released_by: str = ""
    released_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
