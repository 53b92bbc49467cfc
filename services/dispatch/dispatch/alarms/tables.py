"""Where alarms are stored."""

from sqlalchemy import Index, UniqueConstraint

from dispatch.alarms.alarm import Alarm


class AlarmRow(Alarm, table=True):
    """One alarm, as last reported."""

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("source_system_id", "external_alarm_id", name="alarms_by_source"),
        Index("alarms_of_incident", "incident_id", "alarm_id"),
        Index("alarms_in_region", "region", "alarm_id", postgresql_ops={"region": "text_pattern_ops"}),
    )


ALARMS = AlarmRow.__table__  # type: ignore[attr-defined]
