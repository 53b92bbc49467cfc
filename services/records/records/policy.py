"""What records takes from the standards: figures that decide how records are guarded and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from standards.models import DataGrade, RetentionClass

from records.files.record import Record
from standards import Standards

# Clocks of standards/clocks.yaml.
APPROVAL = "record_approval"
OPENING = "record_opening"


@dataclass(frozen=True, slots=True)
class Policy:
    """The standards as records needs them."""

    grades: Mapping[str, DataGrade]
    retention: Mapping[str, RetentionClass]
    # For how long an approved record may be opened.
    opening: timedelta
    destruction_approvals: int

    @classmethod
    def of(cls, standards: Standards) -> Self:
        return cls(
            grades=standards.levels.data_grades,
            retention=standards.retention,
            opening=standards.clock(OPENING).limit,
            destruction_approvals=int(standards.thresholds["destruction_approvals"].value),
        )

    def retained_until(self, record: Record) -> datetime:
        """The moment from which it may be destroyed: whole years after the closing, by the class (REC-06)."""
        # Records of before the retention class was kept go by their record class.
        kept_as = self.retention[record.retention_class or record.record_class]
        return years_after(record.closed_at or record.filed_at, kept_as.years)


def years_after(moment: datetime, years: int) -> datetime:
    """The same moment of a later year; the 29th of February becomes the begin of the 1st of March: nothing ends too
    early, and what was closed first ends first."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return datetime.combine(date(moment.year + years, 3, 1), time.min, moment.tzinfo)


def years_before(moment: datetime, years: int) -> datetime:
    """The latest closing for which `years_after` has come by `moment`."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return datetime.combine(date(moment.year - years, 2, 28), time.max, moment.tzinfo)
