"""How an incident comes to be: many reports from one area, or an alarm; and never two for the same disturbance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from bihuan.dispatch.v1 import incident_events_pb2
from servicekit.casenumbers import issue, serials
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.moments import CHINA_TIME
from servicekit.regions import regions_upwards
from sqlalchemy import exists, select, text

from dispatch.incidents import rules, store
from dispatch.incidents.incident import ONGOING, Incident, Source, State
from dispatch.incidents.ladder import Ladder
from dispatch.incidents.tables import INCIDENTS, NUMBERS
from dispatch.policy import Policy

NUMBER_PREFIX = "I"
SYSTEM = "system"
# A mass outage is a service that many miss; what lies behind it, the analysis says.
KIND_OF_REPORTS = "service"
# What stands in the place of a clock where an alarm raises the level.
BY_ALARM = "alarm"

# Any constant will do; the lock is per database. Incidents are rare: one opens at a time.
_OPENING = text("SELECT pg_advisory_xact_lock(7209115002)")


@dataclass(frozen=True)
class Disturbance:
    """What is known before there is an incident."""

    incident_id: UUID
    kind: str
    source: Source
    region: str
    categories: Sequence[str]
    level: int
    reported_at: datetime
    reports: int = 0


async def open_for_reports(
    tx: UnitOfWork, wanted: incident_events_pb2.OpenIncident, policy: Policy, ladder: Ladder
) -> None:
    """Opens the incident that intake asks for, once; where one covers the place already, the reports join that.

    Raises Fault region_unknown or category_unknown.
    """
    policy.require_known(region=wanted.region)
    for category in wanted.categories:
        if category not in policy.categories:
            raise Fault("category_unknown", category=category)
    incident_id = UUID(wanted.incident_id)
    await tx.execute(_OPENING)
    if await tx.scalar(select(exists().where(INCIDENTS.c.incident_id == incident_id))):
        return
    covering = await _covering(tx, wanted.region, list(wanted.categories), KIND_OF_REPORTS)
    if covering is not None:
        step = rules.join_reports(covering, asked_as=wanted.incident_id, reports=wanted.reports)
        await store.save(tx, covering, step, actor=SYSTEM)
        return
    disturbance = Disturbance(
        incident_id=incident_id,
        kind=KIND_OF_REPORTS,
        source=Source.REPORTS,
        region=wanted.region,
        categories=list(wanted.categories),
        level=policy.outage_level,
        reported_at=min(wanted.reported_since.ToDatetime(UTC), tx.now),
        reports=wanted.reports,
    )
    await _open(tx, disturbance, ladder)


async def open_or_join(tx: UnitOfWork, disturbance: Disturbance, ladder: Ladder) -> Incident:
    """The ongoing incident that covers what an alarm tells of, or a new one.

    Where the alarm is worse than what was thought and nobody has answered yet, the higher level is told at once.
    """
    await tx.execute(_OPENING)
    incident = await _covering(tx, disturbance.region, list(disturbance.categories), disturbance.kind)
    if incident is None:
        return await _open(tx, disturbance, ladder)
    if incident.state == State.REPORTED and disturbance.level < incident.level:
        rung = ladder.rung(disturbance.level, incident.region)
        step = rules.escalate(incident, rung, clock=BY_ALARM, ladder=ladder.clocks)
        return await store.save(tx, incident, step, actor=SYSTEM)
    return incident


async def _covering(tx: UnitOfWork, region: str, categories: list[str], kind: str) -> Incident | None:
    """The oldest ongoing incident here or in a region above; what disturbs no service joins only its own kind."""
    columns = INCIDENTS.c
    statement = (
        select(INCIDENTS)
        .where(
            columns.state.in_(ONGOING),
            columns.region.in_(regions_upwards(region)),
            columns.categories.contains(categories),
        )
        .order_by(columns.incident_id)
        .limit(1)
        .with_for_update()
    )
    if not categories:
        statement = statement.where(columns.kind == kind, columns.categories == [])
    row = (await tx.execute(statement)).one_or_none()
    return Incident.model_validate(row._asdict()) if row is not None else None


async def _open(tx: UnitOfWork, disturbance: Disturbance, ladder: Ladder) -> Incident:
    rung = ladder.rung(disturbance.level, disturbance.region)
    (serial,) = await serials(tx, NUMBERS, 1)
    incident = Incident(
        incident_id=disturbance.incident_id,
        incident_number=issue(NUMBER_PREFIX, tx.now.astimezone(CHINA_TIME).date(), serial),
        version=1,
        state=State.REPORTED,
        kind=disturbance.kind,
        source=disturbance.source,
        region=disturbance.region,
        categories=list(disturbance.categories),
        level=rung.level,
        commander=rung.commander,
        reports=disturbance.reports,
        reported_at=disturbance.reported_at,
    )
    return await store.add(tx, rules.open_incident(incident, rung), actor=SYSTEM)
