"""What an appointment does to its case (INT-09). Pure, like rules.py."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bihuan.common.v1.common_pb2 import TimePeriod
from servicekit.windows import Window

from intake.cases import rules, steps
from intake.cases.case import UNSOLVED, Case, Stage
from intake.cases.rules import Classification, Visit
from intake.cases.slot import shown
from intake.cases.steps import ClockStart, Step, changed, entered, forbidden, noted

VISITED = frozenset({Stage.ASSESSED, Stage.ASSIGNED, Stage.HANDLING})
CANCELLED = "appointment_cancelled"
# What the history says when an appointed time could not be had or kept, with the others that could.
NOT_POSSIBLE = frozenset({"appointment_refused", "appointment_failed"})
OFFERED = "alternatives"


def is_appointable(case: Case, work_order_id: UUID | None = None) -> bool:
    """A visit can be appointed: nobody has assessed the case yet, or it waits for a visit (`work_order_id`)."""
    if case.waits_for_incident:
        return False
    if case.stage == Stage.ACCEPTED:
        return True
    waits_for_visit = case.stage in VISITED and case.work_order_id is not None
    return waits_for_visit and work_order_id in {None, case.work_order_id}


def awaits_visit(case: Case, work_order_id: UUID) -> bool:
    """Somebody is expected for this visit: it was not called off, and no incident took its place."""
    return case.stage in VISITED and case.work_order_id == work_order_id and not case.waits_for_incident


def may_be_arranged(case: Case) -> bool:
    """Another time can be offered: the case is unsolved, and nothing else takes care of it meanwhile."""
    return case.stage in UNSOLVED and not case.waits_for_incident


def require_appointable(case: Case, action: str) -> None:
    """Raises Fault("transition_forbidden")."""
    if not is_appointable(case):
        raise forbidden(case, action)


def appoint(
    case: Case,
    now: datetime,
    *,
    visit: Visit,
    version: int,
    slot: Window,
    booked_by: str,
    urgency_priorities: Mapping[str, int],
) -> Step:
    """The visit has its time, or another one than before. Somebody is assigned by then, not earlier.

    What was not assessed yet is: whoever booked has checked what is to be done. `version`: of the work order; what was
    told of it before is out of date.
    """
    if case.stage == Stage.ACCEPTED:
        verdict = Classification(case.kind, case.category, case.urgency)
        assessed = rules.assess(
            case, now, assessor=booked_by, verdict=verdict, visit=visit, urgency_priorities=urgency_priorities
        )
        # Dispatch has made the work order with the booking.
        step = replace(assessed, commands=())
    else:
        after = changed(case) if case.stage == Stage.ASSESSED else entered(case, Stage.ASSESSED, now)
        after.handler = after.handler_user_id = after.handler_name = ""
        step = Step(after=after, happened="visit_appointed", details={"work_order_id": str(visit.work_order_id)})
    step.after.work_order_version = version
    step.after.appointed_from, step.after.appointed_until = slot.start, slot.end
    return replace(
        step,
        cancels=(*step.cancels, *steps.WORK_CLOCKS),
        starts=(*step.starts, ClockStart(steps.ASSESSMENT, due_at=slot.start)),
    )


def call_off(case: Case, now: datetime, *, work_order_id: UUID) -> Step:
    """The customer has cancelled the appointment for this visit: the case is assessed again, no more important than
    before. One that does not wait for the visit stays as it is, and one that waits for an incident goes on waiting."""
    if case.waits_for_incident:
        return drop_time(case, CANCELLED)
    if case.stage not in VISITED or case.work_order_id != work_order_id:
        return noted(case, CANCELLED)
    return rules.reopened(
        case,
        now,
        reason=CANCELLED,
        cancels=steps.WORK_CLOCKS,
        starts=(steps.ASSESSMENT,),
        more_important=False,
    )


def drop_time(case: Case, happened: str) -> Step:
    """Its visit was called off, and the appointed time with it."""
    if case.appointed_from is None:
        return noted(case, happened)
    after = changed(case)
    after.appointed_from = after.appointed_until = None
    return Step(after=after, happened=happened)


def lose_time(case: Case, happened: str, *, reason: str, alternatives: list[TimePeriod]) -> Step:
    """The appointed time could not be had or kept; the customer hears of others."""
    details = {"reason": reason, OFFERED: shown(alternatives)}
    if case.appointed_from is None:
        return noted(case, happened, **details)
    after = changed(case)
    after.appointed_from = after.appointed_until = None
    return Step(after=after, happened=happened, details=details)
