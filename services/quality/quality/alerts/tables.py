"""Where alerts are stored."""

from sqlalchemy import Index, text

from quality.alerts.alert import Alert


class AlertRow(Alert, table=True):
    """An alert; at most one is open for an indicator in a region."""

    __tablename__ = "quality_alerts"
    __table_args__ = (
        Index(
            "quality_one_open_alert",
            "indicator",
            "region",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )


ALERTS = AlertRow.__table__  # type: ignore[attr-defined]
