"""Where reports are stored."""

from quality.reports.report import Report


class ReportRow(Report, table=True):
    """One report a period."""

    __tablename__ = "quality_reports"


REPORTS = ReportRow.__table__  # type: ignore[attr-defined]
