"""Where the regions of cases and complaints are remembered: later events about them don't say them again."""

from datetime import datetime

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class EventRegionRow(SQLModel, table=True):
    """The region that a case or a complaint was opened in."""

    __tablename__ = "event_regions"
    __table_args__ = (Index("event_regions_remembered", "remembered_at"),)

    entity_id: str = Field(primary_key=True)
    region: str
    remembered_at: datetime = Field(sa_type=UTC_TIME)


EVENT_REGIONS = EventRegionRow.__table__  # type: ignore[attr-defined]
