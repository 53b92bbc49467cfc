"""Recognising a mass outage while its reports come in: once, whoever reports at the same moment (INT-15)."""

from collections import defaultdict
from collections.abc import Iterable

from bihuan.dispatch.v1 import incident_events_pb2 as dispatch_incidents
from bihuan.intake.v1 import incident_events_pb2
from servicekit.database import UnitOfWork
from servicekit.ids import uuid7

from intake.cases.case import FAULT, Case
from intake.outages import store
from intake.outages.outage import Outage, State
from intake.outages.rules import Area, MassRule, covering


async def watch_for_outages(tx: UnitOfWork, rule: MassRule, opened: Iterable[Case]) -> None:
    """Looks at cases that this transaction opens. Those of a known outage will follow it; many without one ask
    dispatch for an incident. To be called last: whoever holds an area must not wait for a case any more.
    """
    by_area: defaultdict[Area, list[Case]] = defaultdict(list)
    for case in opened:
        # A guess is no evidence, as for duplicates (INT-14).
        if case.kind == FAULT and case.proposed_confidence > 0:
            by_area[Area(case.region, case.category)].append(case)
    if not by_area:
        return
    await store.hold_areas(tx, by_area)
    outages = await store.ongoing(tx)
    uncovered = []
    for area, cases in by_area.items():
        outage = covering(area, outages)
        if outage is None:
            uncovered.append(area)
        elif outage.state == State.OPEN:
            for case in cases:
                follow = incident_events_pb2.FollowIncident(
                    case_id=str(case.case_id), incident_id=str(outage.incident_id)
                )
                tx.command(follow)
        # Else dispatch has been asked: once it answers, what is concerned is looked for.
    if uncovered:
        await _count(tx, rule, uncovered)


async def _count(tx: UnitOfWork, rule: MassRule, areas: list[Area]) -> None:
    for area, seen in (await store.sightings(tx, areas, tx.now - rule.window)).items():
        if not rule.is_mass(seen):
            continue
        outage = Outage(
            incident_id=uuid7(), state=State.ASKED, region=area.region, categories=[area.category], since=seen.first_at
        )
        await store.add(tx, outage)
        wanted = dispatch_incidents.OpenIncident(
            incident_id=str(outage.incident_id),
            region=area.region,
            categories=outage.categories,
            reports=seen.customers,
        )
        wanted.reported_since.FromDatetime(seen.first_at)
        tx.command(wanted)
