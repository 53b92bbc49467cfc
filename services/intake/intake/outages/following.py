"""How cases follow an incident: attached and told when it opens, delivered and told when it is restored (INT-15).

Each case is brought in line by a command of its own (`FollowIncident`), which looks at what is true then: it may come
twice, late or after the next one, and a process may die between two of them.
"""

from collections.abc import Collection
from uuid import UUID

from bihuan.intake.v1 import cases_pb2, incident_events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from intake.cases import incidents, notices, store, texts
from intake.cases.case import Case
from intake.cases.changes import put_back, take_in_hand
from intake.cases.results import restoration_of
from intake.cases.steps import Step
from intake.cases.texts import Text
from intake.desk import Desk
from intake.outages import store as outages
from intake.outages.outage import Outage, State

SYSTEM = "system"


def send_after(tx: UnitOfWork, outage: Outage, case_ids: Collection[UUID]) -> None:
    """Has each of the cases brought in line with the outage, in a transaction of its own."""
    for case_id in case_ids:
        tx.command(incident_events_pb2.FollowIncident(case_id=str(case_id), incident_id=str(outage.incident_id)))


async def follow_incident(tx: UnitOfWork, desk: Desk, case_id: str, incident_id: UUID) -> None:
    """Does what the incident's state asks of this case now; nothing where it is done, or the case has moved on.

    An incident may be over before its cases have followed: what was reported by then was part of it all the same.
    """
    case = await store.lock(tx, case_id)
    outage = await outages.hold(tx, incident_id)
    waits = case.waits_for_incident and case.incident_id == incident_id
    comes = incidents.comes_along(case)
    if outage.state == State.OPEN and comes:
        await _take_along(
            tx, desk, case, incidents.attached(case, tx.now, incident_id=incident_id), notice=notices.OUTAGE
        )
    elif outage.state == State.RESTORED and (waits or comes):
        await _bring_to_its_end(tx, desk, case, outage)
    elif outage.state == State.DISMISSED and waits:
        step = incidents.released(case, tx.now, reason="incident_dismissed")
        await _take_along(tx, desk, case, step, notice=notices.OUTAGE_DISMISSED)


async def attach_to_incident(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.AttachToIncidentRequest
) -> Case:
    """Somebody sees that the case is part of an incident. Raises Fault incident_unknown or incident_over."""
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    outage = await outages.hold(tx, UUID(request.incident_id))
    if outage.state != State.OPEN:
        raise Fault("incident_over", field="incident_id")
    step = incidents.attached(case, tx.now, incident_id=outage.incident_id)
    return await _take_along(tx, desk, case, step, notice=notices.OUTAGE, actor=principal.actor)


async def detach_from_incident(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.DetachFromIncidentRequest
) -> Case:
    """Somebody sees that the case has nothing to do with its incident: it is assessed by itself.

    The customer, who was to wait for the incident's end, is told so.
    """
    case = await take_in_hand(tx, principal, request.case, request.expected_version)
    step = incidents.released(case, tx.now, reason="detached")
    reason = Text(role=texts.DETACHMENT_REASON, text=request.reason, author=principal.actor)
    return await _take_along(tx, desk, case, step, notice=notices.OUTAGE_DETACHED, actor=principal.actor, words=reason)


async def _bring_to_its_end(tx: UnitOfWork, desk: Desk, case: Case, outage: Outage) -> None:
    """The service is back, and the customer is told once. A visit of the case's own is waited for."""
    restored_at = outage.restored_at or tx.now
    steps: list[Step] = []
    if not case.waits_for_incident:
        if case.accepted_at > restored_at:
            # What fails after the restoration was not restored by it.
            return
        steps.append(incidents.attached(case, tx.now, incident_id=outage.incident_id))
    if case.work_order_id is None:
        result = restoration_of(outage.restoration, case.language)
        waiting = steps[-1].after if steps else case
        steps.append(incidents.restored(waiting, tx.now, result=result, restored_at=restored_at))
        await _take_along(tx, desk, case, *steps, notice=notices.OUTAGE_OVER)
    elif steps:
        # Told when the visit is called off or done: that it is being repaired is true no more, that it is over not yet.
        await store.save(tx, case, *steps, actor=SYSTEM)


async def _take_along(
    tx: UnitOfWork,
    desk: Desk,
    case: Case,
    *steps: Step,
    notice: str,
    actor: str = SYSTEM,
    words: Text | None = None,
) -> Case:
    """Stores the steps, what somebody wrote, and the contact by which the customer is told: all of it, or nothing."""
    after = await put_back(tx, desk, case, *steps, actor=actor, words=words)
    await notices.tell(tx, desk, after, notice)
    return after
