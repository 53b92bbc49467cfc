"""What intake does when dispatch tells how an incident goes on (INT-15): it is noted, and its cases follow."""

from datetime import UTC, datetime
from uuid import UUID

from bihuan.dispatch.v1 import incident_events_pb2 as events
from bihuan.intake.v1 import incident_events_pb2
from servicekit.database import UnitOfWork
from servicekit.messaging import NotYet, Reactions, Received

from intake.desk import Desk
from intake.outages import store
from intake.outages.following import follow_incident, send_after
from intake.outages.outage import Outage, State
from intake.outages.rules import MassRule


def react_on_incidents(reactions: Reactions, desk: Desk) -> None:
    window = MassRule.of(desk.standards).window

    @reactions.on(events.IncidentOpened)
    async def opened(tx: UnitOfWork, event: events.IncidentOpened, _received: Received) -> None:
        """Asked for here, or known from an alarm: what was reported lately belongs to it, and what comes will."""
        await store.hold_all(tx)
        outage = await store.find(tx, UUID(event.incident_id))
        if outage is None:
            outage = Outage(
                incident_id=UUID(event.incident_id),
                state=State.OPEN,
                region=event.region,
                categories=list(event.categories),
                since=event.reported_at.ToDatetime(UTC) - window,
            )
            await store.add(tx, outage)
        elif outage.state == State.ASKED:
            outage.state = State.OPEN
            await store.save(tx, outage)
        send_after(tx, outage, await store.concerned(tx, outage))

    @reactions.on(events.IncidentReportsJoined)
    async def joined(tx: UnitOfWork, event: events.IncidentReportsJoined, _received: Received) -> None:
        """There was one already: what was counted belongs to that."""
        await store.hold_all(tx)
        asked = await _known(tx, event.asked_incident_id)
        outage = await _known(tx, event.incident_id)
        asked.state = State.JOINED
        await store.save(tx, asked)
        outage.since = min(outage.since, asked.since)
        await store.save(tx, outage)
        send_after(tx, outage, await store.concerned(tx, outage))

    @reactions.on(events.IncidentRestored)
    async def restored(tx: UnitOfWork, event: events.IncidentRestored, _received: Received) -> None:
        restored_at = min(event.restored_at.ToDatetime(UTC), tx.now)
        await _end(tx, event.incident_id, State.RESTORED, restoration=event.restoration, restored_at=restored_at)

    @reactions.on(events.IncidentDismissed)
    async def dismissed(tx: UnitOfWork, event: events.IncidentDismissed, _received: Received) -> None:
        await _end(tx, event.incident_id, State.DISMISSED)

    @reactions.on(incident_events_pb2.FollowIncident)
    async def follow(tx: UnitOfWork, command: incident_events_pb2.FollowIncident, _received: Received) -> None:
        await follow_incident(tx, desk, command.case_id, UUID(command.incident_id))


async def _end(
    tx: UnitOfWork, incident_id: str, state: State, *, restoration: str = "", restored_at: datetime | None = None
) -> None:
    await store.hold_all(tx)
    outage = await _known(tx, incident_id)
    if outage.state == State.ASKED:
        raise NotYet("the incident has ended but is not known as open yet")
    outage.state, outage.restoration, outage.restored_at = state, restoration, restored_at
    await store.save(tx, outage)
    send_after(tx, outage, await store.attached(tx, outage.incident_id))


async def _known(tx: UnitOfWork, incident_id: str) -> Outage:
    outage = await store.find(tx, UUID(incident_id))
    if outage is None:
        raise NotYet("the incident is not known yet")
    return outage
