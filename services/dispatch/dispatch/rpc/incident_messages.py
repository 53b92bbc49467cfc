"""Incidents and alarms as the contract writes them. Pure."""

from bihuan.dispatch.v1 import alarms_pb2, incidents_pb2

from dispatch.alarms.alarm import Alarm
from dispatch.incidents.incident import State
from dispatch.incidents.queries import View
from dispatch.incidents.tables import HistoryRow

_STATE = "INCIDENT_STATE_"


def incident_message(view: View) -> incidents_pb2.Incident:
    incident = view.incident
    return incidents_pb2.Incident(
        incident_id=str(incident.incident_id),
        incident_number=incident.incident_number,
        version=incident.version,
        state=incident_state_name(incident.state),
        kind=incident.kind,
        source=incident.source,
        region=incident.region,
        categories=incident.categories,
        level=incident.level,
        commander=incident.commander,
        reports=incident.reports,
        finding=incident.finding,
        restoration=incident.restoration,
        lessons=incident.lessons,
        dismissal=incident.dismissal,
        clocks=view.clocks,
        reported_at=incident.reported_at,
        acknowledged_at=incident.acknowledged_at,
        analysed_at=incident.analysed_at,
        isolated_at=incident.isolated_at,
        restored_at=incident.restored_at,
        closed_at=incident.closed_at,
    )


def incident_history_message(row: HistoryRow) -> incidents_pb2.IncidentHistoryEntry:
    return incidents_pb2.IncidentHistoryEntry(
        at=row.at,
        happened=row.happened,
        actor=row.actor,
        state=incident_state_name(State(row.state)),
        details=row.details,
        version=row.version,
    )


def alarm_message(alarm: Alarm) -> alarms_pb2.Alarm:
    return alarms_pb2.Alarm(
        alarm_id=str(alarm.alarm_id),
        source_system_id=alarm.source_system_id,
        external_alarm_id=alarm.external_alarm_id,
        alarm_type=alarm.alarm_type,
        perceived_severity=alarm.perceived_severity,
        probable_cause=alarm.probable_cause,
        specific_problem=alarm.specific_problem,
        alarmed_object=alarms_pb2.AlarmedObject(id=alarm.alarmed_object),
        affected_service=[alarms_pb2.AffectedService(id=category) for category in alarm.affected_services],
        place=alarms_pb2.AlarmPlace(id=alarm.region),
        alarm_raised_time=alarm.raised_at,
        alarm_changed_time=alarm.changed_at,
        alarm_cleared_time=alarm.cleared_at,
        incident_id=str(alarm.incident_id or ""),
    )


def incident_state_name(state: State) -> str:
    """The contract's name of a state."""
    return _STATE + state.upper()


def incident_state_of(value: incidents_pb2.IncidentState) -> State | None:
    """The state of a contract's value; None for INCIDENT_STATE_UNSPECIFIED."""
    if value == incidents_pb2.INCIDENT_STATE_UNSPECIFIED:
        return None
    return State(incidents_pb2.IncidentState.Name(value).removeprefix(_STATE).lower())
