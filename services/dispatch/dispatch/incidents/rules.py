"""The life cycle of an incident: every move it may make, and what each move brings with it (DSP-06, DSP-07).

Pure: a rule takes the incident and what happened, and returns a Step. A move that is not allowed from the state the
incident is in raises Fault("transition_forbidden").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bihuan.dispatch.v1 import incident_events_pb2 as events
from google.protobuf.message import Message
from servicekit.errors import Fault

from dispatch.incidents.incident import ONGOING, Incident, State
from dispatch.incidents.ladder import Rung

# Clocks of an incident beside those of the ladder, by their names in standards/clocks.yaml.
OVERALL = "emergency_overall"
RESPONSE = "incident_response"
RESTORATION = "incident_restoration"
RETROSPECTIVE = "incident_retrospective"


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. Clocks are cancelled, met and started, in this order."""

    after: Incident
    happened: str
    details: Mapping[str, str] = field(default_factory=dict)
    cancels: tuple[str, ...] = ()
    cancels_all: bool = False
    meets: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    event: Message | None = None


def open_incident(incident: Incident, rung: Rung) -> Step:
    """The first version: the ladder begins at its level, and everybody's time runs."""
    event = events.IncidentOpened(
        incident_id=str(incident.incident_id),
        incident_number=incident.incident_number,
        kind=incident.kind,
        source=incident.source,
        region=incident.region,
        categories=incident.categories,
        level=incident.level,
        commander=incident.commander,
    )
    event.reported_at.FromDatetime(incident.reported_at)
    return Step(
        incident,
        "incident_opened",
        {"source": incident.source, "level": str(incident.level), "commander": incident.commander},
        starts=(rung.clock, OVERALL, RESPONSE, RESTORATION),
        event=event,
    )


def join_reports(incident: Incident, *, asked_as: str, reports: int) -> Step:
    """Customers report what it covers already: no second incident."""
    _require(incident, "join_reports", ONGOING)
    return Step(
        _changed(incident, reports=incident.reports + reports),
        "reports_joined",
        {"asked_as": asked_as, "reports": str(reports)},
        event=events.IncidentReportsJoined(incident_id=str(incident.incident_id), asked_incident_id=asked_as),
    )


def escalate(incident: Incident, rung: Rung, *, clock: str, ladder: tuple[str, ...] = ()) -> Step:
    """Nobody answered by `clock`: the next level is told, and has its own time to answer (DSP-06).

    `ladder`: clocks of lower levels that still run, where an alarm shows that it is worse than was thought.
    """
    _require(incident, "escalate", frozenset({State.REPORTED}))
    return Step(
        _changed(incident, level=rung.level, commander=rung.commander),
        "incident_escalated",
        {"clock": clock, "level": str(rung.level), "commander": rung.commander},
        cancels=ladder,
        starts=(rung.clock,),
        event=events.IncidentEscalated(
            incident_id=str(incident.incident_id), clock=clock, level=rung.level, commander=rung.commander
        ),
    )


def acknowledge(incident: Incident, now: datetime, *, commander: str, ladder: tuple[str, ...]) -> Step:
    """Somebody takes command, whoever had been told: the ladder stops."""
    _require(incident, "acknowledge", frozenset({State.REPORTED}))
    return Step(
        _changed(incident, state=State.ACKNOWLEDGED, commander=commander, acknowledged_at=now),
        "incident_acknowledged",
        {"commander": commander, "told": incident.commander},
        meets=ladder,
        event=events.IncidentAcknowledged(
            incident_id=str(incident.incident_id), commander=commander, level=incident.level
        ),
    )


def analyse(incident: Incident, now: datetime, *, finding: str) -> Step:
    """It is known what is wrong, and handling begins; a better finding may follow while it goes on."""
    _require(incident, "analyse", frozenset({State.ACKNOWLEDGED, State.ANALYSED, State.ISOLATED}))
    state = State.ISOLATED if incident.state == State.ISOLATED else State.ANALYSED
    return Step(
        _changed(incident, state=state, finding=finding, analysed_at=incident.analysed_at or now),
        "incident_analysed",
        meets=(RESPONSE, OVERALL),
        event=events.IncidentAnalysed(incident_id=str(incident.incident_id)),
    )


def isolate(incident: Incident, now: datetime) -> Step:
    """It no longer spreads. What can be restored at once need not be isolated first."""
    _require(incident, "isolate", frozenset({State.ANALYSED}))
    return Step(
        _changed(incident, state=State.ISOLATED, isolated_at=now),
        "incident_isolated",
        event=events.IncidentIsolated(incident_id=str(incident.incident_id)),
    )


def restore(incident: Incident, now: datetime, *, restoration: str) -> Step:
    """The service is back: customers are told, and the retrospective is due."""
    _require(incident, "restore", frozenset({State.ANALYSED, State.ISOLATED}))
    event = events.IncidentRestored(incident_id=str(incident.incident_id), restoration=restoration)
    event.restored_at.FromDatetime(now)
    return Step(
        _changed(incident, state=State.RESTORED, restoration=restoration, restored_at=now),
        "incident_restored",
        meets=(RESTORATION,),
        starts=(RETROSPECTIVE,),
        event=event,
    )


def close(incident: Incident, now: datetime, *, lessons: str) -> Step:
    """复盘 is done: what happened was analysed afterwards."""
    _require(incident, "close", frozenset({State.RESTORED}))
    return Step(
        _changed(incident, state=State.CLOSED, lessons=lessons, closed_at=now),
        "incident_closed",
        meets=(RETROSPECTIVE,),
        event=events.IncidentClosed(incident_id=str(incident.incident_id)),
    )


def dismiss(incident: Incident, now: datetime, *, reason: str) -> Step:
    """A false alarm."""
    _require(incident, "dismiss", ONGOING)
    return Step(
        _changed(incident, state=State.DISMISSED, dismissal=reason, closed_at=now),
        "incident_dismissed",
        {"reason": reason},
        cancels_all=True,
        event=events.IncidentDismissed(incident_id=str(incident.incident_id)),
    )


def noted(incident: Incident, happened: str, **details: str) -> Step:
    """Only the history grows, and with it the version."""
    return Step(_changed(incident), happened, details)


def _require(incident: Incident, action: str, allowed: frozenset[State]) -> None:
    if incident.state not in allowed:
        raise Fault("transition_forbidden", action=action, state=incident.state.value)


def _changed(incident: Incident, **changes: Any) -> Incident:
    return incident.model_copy(update={"version": incident.version + 1, **changes})
