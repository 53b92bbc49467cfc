"""A monitoring system reports an alarm (DSP-07)."""

from datetime import UTC
from uuid import UUID

from bihuan.dispatch.v1 import alarms_pb2, incident_events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from dispatch.alarms.alarm import CLEARED, Alarm, is_worse, merge, word_of
from dispatch.alarms.tables import ALARMS
from dispatch.incidents import rules, store
from dispatch.incidents.incident import ONGOING, Source
from dispatch.incidents.ladder import Ladder
from dispatch.incidents.opening import SYSTEM, Disturbance, open_or_join
from standards import Standards


async def report_alarm(
    tx: UnitOfWork,
    standards: Standards,
    ladder: Ladder,
    principal: Principal,
    request: alarms_pb2.ReportAlarmRequest,
) -> Alarm:
    """Takes the alarm in once, however often it is reported; a serious one opens an incident or joins one.

    Raises Fault alarm_word_unknown, category_unknown, region_unknown, domain_forbidden (also for an alarm known in
    somebody else's region), or alarm_time_invalid for one that says to have changed before it was raised.
    """
    reported = _read(request, standards)
    principal.require_region(reported.region)
    known, is_new = await _lock_or_add(tx, reported)
    principal.require_region(known.region)
    alarm = reported if is_new else merge(known, reported)
    if alarm is None:
        return known
    ranks = {name: severity.rank for name, severity in standards.levels.alarm_severities.items()}
    if alarm.perceived_severity == CLEARED:
        await _note_cleared(tx, alarm)
    elif is_new or is_worse(alarm, known, ranks):
        alarm.incident_id = await _incident_for(tx, standards, ladder, alarm)
    await tx.execute(update(ALARMS).where(ALARMS.c.alarm_id == alarm.alarm_id).values(alarm.model_dump()))
    _announce(tx, alarm)
    return alarm


def _read(request: alarms_pb2.ReportAlarmRequest, standards: Standards) -> Alarm:
    region = request.place.id
    if region not in standards.regions:
        raise Fault("region_unknown", field="place.id", region=region)
    affected = [service.id for service in request.affected_service]
    for category in affected:
        if category not in standards.categories:
            raise Fault("category_unknown", field="affected_service", category=category)
    severities = [*standards.levels.alarm_severities, CLEARED]
    severity = word_of(request.perceived_severity, severities, "perceived_severity")
    raised_at = request.alarm_raised_time.ToDatetime(UTC)
    changed_at = request.alarm_changed_time.ToDatetime(UTC) if request.HasField("alarm_changed_time") else raised_at
    if changed_at < raised_at:
        raise Fault("alarm_time_invalid", field="alarm_changed_time")
    return Alarm(
        alarm_id=uuid7(),
        version=1,
        source_system_id=request.source_system_id,
        external_alarm_id=request.external_alarm_id,
        alarm_type=word_of(request.alarm_type, standards.classes.alarm_types, "alarm_type"),
        perceived_severity=severity,
        probable_cause=request.probable_cause,
        specific_problem=request.specific_problem,
        alarmed_object=request.alarmed_object.id,
        affected_services=sorted(set(affected)),
        region=region,
        raised_at=raised_at,
        changed_at=changed_at,
        cleared_at=changed_at if severity == CLEARED else None,
    )


async def _lock_or_add(tx: UnitOfWork, reported: Alarm) -> tuple[Alarm, bool]:
    """The alarm as it is known, locked; whoever reports the same at this moment waits. True: it is the first report."""
    adding = insert(ALARMS).values(reported.model_dump()).on_conflict_do_nothing(constraint="alarms_by_source")
    is_new = (await tx.execute(adding)).rowcount == 1
    statement = (
        select(ALARMS)
        .where(
            ALARMS.c.source_system_id == reported.source_system_id,
            ALARMS.c.external_alarm_id == reported.external_alarm_id,
        )
        .with_for_update()
    )
    row = (await tx.execute(statement)).one()
    return Alarm.model_validate(row._asdict()), is_new


async def _incident_for(tx: UnitOfWork, standards: Standards, ladder: Ladder, alarm: Alarm) -> UUID | None:
    """The incident of an alarm that is serious enough: the ongoing one that covers it, or a new one."""
    emergency = standards.levels.alarm_severities[alarm.perceived_severity].emergency
    if emergency is None:
        return alarm.incident_id
    disturbance = Disturbance(
        incident_id=uuid7(),
        kind=standards.classes.alarm_types[alarm.alarm_type].incident_kind,
        source=Source.ALARM,
        region=alarm.region,
        categories=alarm.affected_services,
        level=standards.levels.emergency[emergency].level,
        reported_at=tx.now,
    )
    return (await open_or_join(tx, disturbance, ladder)).incident_id


async def _note_cleared(tx: UnitOfWork, alarm: Alarm) -> None:
    """The commander sees that the source has gone quiet; whether customers have their service back is theirs to say."""
    if alarm.incident_id is None:
        return
    incident = await store.lock(tx, str(alarm.incident_id))
    if incident.state in ONGOING:
        noted = rules.noted(incident, "alarm_cleared", alarm_id=str(alarm.alarm_id))
        await store.save(tx, incident, noted, actor=SYSTEM)


def _announce(tx: UnitOfWork, alarm: Alarm) -> None:
    names = {"alarm_id": str(alarm.alarm_id), "region": alarm.region, "incident_id": str(alarm.incident_id or "")}
    if alarm.perceived_severity == CLEARED:
        tx.emit(incident_events_pb2.AlarmCleared(**names), version=alarm.version)
        return
    raised = incident_events_pb2.AlarmRaised(
        **names, alarm_type=alarm.alarm_type, perceived_severity=alarm.perceived_severity
    )
    tx.emit(raised, version=alarm.version)
