"""Where improvements that an alert found are stored."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlmodel import Field

from complaints.improvements import Improvement


class IndicatorImprovementRow(Improvement, table=True):
    """An improvement that an alert of quality found; one an alert."""

    __tablename__ = "indicator_improvements"

    version: int = 1
    alert_id: UUID = Field(unique=True)
    region: str
    found_at: datetime = Field(sa_type=UTC_TIME)


INDICATOR_IMPROVEMENTS = IndicatorImprovementRow.metadata.tables["indicator_improvements"]
