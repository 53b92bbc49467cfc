"""How a case follows the incident that it is part of (INT-15).

Pure, like rules.py. The case waits in HANDLING, with the incident for its handler, until the service is restored and
its result is delivered. Its promise to the customer runs on all the while: an outage is ours, not theirs.
"""

from datetime import datetime
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import incident_events_pb2
from google.protobuf.message import Message

from intake.cases import rules, steps
from intake.cases.case import UNSOLVED, Case, Stage
from intake.cases.steps import ClockStart, Step, changed, entered, forbidden, require_stage

# Who handles it then, as histories see it.
HANDLER = "incident"


def attachable(case: Case) -> bool:
    """Whether it may still be taken along: unsolved, and nobody else's already."""
    return case.stage in UNSOLVED and case.incident_id is None and case.complaint_id is None


def comes_along(case: Case) -> bool:
    """Whether nobody needs to be asked about it: it is attachable, and has not come back for a reason of its own."""
    return attachable(case) and case.reopened_times == 0 and case.detached_from is None


def attached(case: Case, now: datetime, *, incident_id: UUID) -> Step:
    """The case waits for the incident. To be told so is the first answer, and no assessment of its own is needed.

    A visit of its own is called off, unless the engineer is there already: then it goes on.
    """
    require_stage(case, "attach_to_incident", UNSOLVED)
    if not attachable(case):
        raise forbidden(case, "attach_to_incident")
    after = changed(case) if case.stage == Stage.HANDLING else entered(case, Stage.HANDLING, now)
    after.waiting_for_customer = False
    after.incident_id, after.detached_from = incident_id, None
    case_id = str(case.case_id)
    called_off: tuple[Message, ...] = ()
    if case.work_order_id is not None:
        called_off = (
            dispatch_events.CancelWorkOrder(
                work_order_id=str(case.work_order_id), case_id=case_id, reason="incident", unless_on_site=True
            ),
        )
    if case.work_order_id is None or not case.handler:
        _leave_to_incident(after)
    return Step(
        after=after,
        happened="attached_to_incident",
        details={"incident_id": str(incident_id)},
        starts=(ClockStart(steps.HANDLING),) if case.stage in {Stage.ACCEPTED, Stage.ASSESSED} else (),
        meets=(case.response_clock, steps.ASSESSMENT, steps.STAFF_ASSESSMENT),
        events=(incident_events_pb2.CaseAttachedToIncident(case_id=case_id, incident_id=str(incident_id)),),
        commands=called_off,
    )


def visit_called_off(case: Case) -> Step:
    """The case's own visit is over without a result: it waits for the incident alone, or is done if that is over."""
    after = changed(case)
    after.work_order_id, after.work_order_version = None, 0
    _leave_to_incident(after)
    follow = incident_events_pb2.FollowIncident(case_id=str(case.case_id), incident_id=str(case.incident_id))
    return Step(
        after=after,
        happened="visit_called_off",
        details={"work_order_id": str(case.work_order_id)},
        commands=(follow,),
    )


def restored(case: Case, now: datetime, *, result: str, restored_at: datetime) -> Step:
    """The service is back: the result goes to the customer, who confirms it like any other (INT-11)."""
    _require_waiting(case, "restore")
    return rules.delivered(case, now, handled_at=restored_at, result=result, delivered_by=HANDLER)


def released(case: Case, now: datetime, *, reason: str) -> Step:
    """It goes on alone: assessed anew, or with the visit that was under way already."""
    _require_waiting(case, "detach_from_incident")
    detached = incident_events_pb2.CaseDetachedFromIncident(
        case_id=str(case.case_id), incident_id=str(case.incident_id), reason=reason
    )
    if case.work_order_id is not None:
        after = changed(case)
        after.incident_id, after.detached_from = None, case.incident_id
        details = {"incident_id": str(case.incident_id), "reason": reason}
        return Step(after=after, happened="detached_from_incident", details=details, events=(detached,))
    again = rules.reopened(
        case, now, reason=reason, cancels=steps.WORK_CLOCKS, starts=(case.response_clock, steps.ASSESSMENT)
    )
    again.after.detached_from = case.incident_id
    return Step(
        after=again.after,
        happened=again.happened,
        details={**again.details, "incident_id": str(case.incident_id)},
        cancels=again.cancels,
        starts=again.starts,
        events=(*again.events, detached),
    )


def _leave_to_incident(case: Case) -> None:
    case.handler, case.handler_user_id, case.handler_name = HANDLER, HANDLER, ""


def _require_waiting(case: Case, action: str) -> None:
    if not case.waits_for_incident:
        raise forbidden(case, action)
