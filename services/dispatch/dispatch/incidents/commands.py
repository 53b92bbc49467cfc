"""What people do with an incident: each function is one use case in one transaction (DSP-06, DSP-07)."""

from bihuan.dispatch.v1 import incidents_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from dispatch.incidents import rules, store
from dispatch.incidents.incident import Incident
from dispatch.incidents.ladder import Ladder


async def acknowledge_incident(
    tx: UnitOfWork, ladder: Ladder, principal: Principal, request: incidents_pb2.IncidentStepRequest
) -> Incident:
    """The caller takes command."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.acknowledge(incident, tx.now, commander=principal.actor, ladder=ladder.clocks)
    return await store.save(tx, incident, step, actor=principal.actor)


async def analyse_incident(
    tx: UnitOfWork, _ladder: Ladder, principal: Principal, request: incidents_pb2.AnalyseIncidentRequest
) -> Incident:
    """What is wrong is known."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.analyse(incident, tx.now, finding=request.finding)
    return await store.save(tx, incident, step, actor=principal.actor)


async def isolate_incident(
    tx: UnitOfWork, _ladder: Ladder, principal: Principal, request: incidents_pb2.IncidentStepRequest
) -> Incident:
    """It no longer spreads."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.isolate(incident, tx.now)
    return await store.save(tx, incident, step, actor=principal.actor)


async def restore_incident(
    tx: UnitOfWork, _ladder: Ladder, principal: Principal, request: incidents_pb2.RestoreIncidentRequest
) -> Incident:
    """The service is back."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.restore(incident, tx.now, restoration=request.restoration)
    return await store.save(tx, incident, step, actor=principal.actor)


async def close_incident(
    tx: UnitOfWork, _ladder: Ladder, principal: Principal, request: incidents_pb2.CloseIncidentRequest
) -> Incident:
    """Its lessons are written down."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.close(incident, tx.now, lessons=request.lessons)
    return await store.save(tx, incident, step, actor=principal.actor)


async def dismiss_incident(
    tx: UnitOfWork, _ladder: Ladder, principal: Principal, request: incidents_pb2.DismissIncidentRequest
) -> Incident:
    """It was none."""
    incident = await _take_in_hand(tx, principal, request.incident, request.expected_version)
    step = rules.dismiss(incident, tx.now, reason=request.reason)
    return await store.save(tx, incident, step, actor=principal.actor)


async def _take_in_hand(tx: UnitOfWork, principal: Principal, reference: str, expected_version: int) -> Incident:
    """Raises Fault incident_unknown, domain_forbidden or stale_version."""
    incident = await store.lock(tx, reference)
    principal.require_region(incident.region)
    if expected_version not in {0, incident.version}:
        raise Fault("stale_version", version=incident.version)
    return incident
