"""Where the regions of cases and complaints are remembered: later events about them don't say them again."""

from sqlmodel import Field, SQLModel


class EventRegionRow(SQLModel, table=True):
    """The region that a case or a complaint was opened in."""

    __tablename__ = "event_regions"

    entity_id: str = Field(primary_key=True)
    region: str


EVENT_REGIONS = EventRegionRow.__table__  # type: ignore[attr-defined]
