"""Where it is stored what each subject contributes to each indicator."""

from datetime import datetime

from servicekit.database.columns import UTC_TIME
from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class ContributionRow(SQLModel, table=True):
    """One subject's contribution to one indicator. Formed anew when more is known; partitioned by month."""

    __tablename__ = "quality_contributions"
    __table_args__ = (
        Index("quality_contributions_of_subject", "generation", "subject_id"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    generation: int = Field(primary_key=True)
    indicator: str = Field(primary_key=True, sa_type=Text)
    # Decides which periods it belongs to.
    at: datetime = Field(primary_key=True, sa_type=UTC_TIME)
    subject_id: str = Field(primary_key=True, sa_type=Text)
    # In thousandths: of one for shares (1000 is yes) and counts, of a second for times. Whole numbers, which add up to
    # the same in any order.
    value: int = Field(sa_type=BigInteger)
    region: str = Field(sa_type=Text)
    dimensions: dict[str, str] = Field(sa_type=JSONB)


CONTRIBUTIONS = ContributionRow.__table__  # type: ignore[attr-defined]
# Tables that are made month by month, each with its time column.
PARTITIONED = {"quality_observations": "occurred_at", "quality_contributions": "at"}
