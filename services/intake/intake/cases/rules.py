"""The life cycle of a case: every move it may make round the loop (闭环), and what each move brings with it.

Pure: a rule takes the case and what happened, and returns a Step. A move that is not allowed from the stage the case is
in raises Fault("transition_forbidden"). What dispatch reports about visits is in visits.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1 import commands_pb2 as complaints_commands
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import cases_pb2, events_pb2
from google.protobuf.message import Message

from intake.cases import steps
from intake.cases.case import ANSWERABLE, OPEN, UNSOLVED, Case, Confirmation, Outcome, Stage
from intake.cases.steps import ClockStart, Step, changed, entered, forbidden, raised, require_stage


@dataclass(frozen=True)
class Classification:
    """Words of standards/classes.yaml."""

    kind: str
    category: str
    urgency: str


@dataclass(frozen=True)
class Visit:
    """What a visit needs; the work order's id is chosen here so that asking twice creates one."""

    work_order_id: UUID
    skill: str
    level: str
    # What dispatch seals its report with, so that only intake can open it.
    sealing_key: bytes = b""


def assess(
    case: Case,
    now: datetime,
    *,
    assessor: str,
    verdict: Classification,
    visit: Visit | None,
    urgency_priorities: Mapping[str, int],
) -> Step:
    """A person confirms or overrides the proposal and decides how the case is handled (INT-04, INT-05).

    With a visit, the assessment clock runs on until somebody is assigned; without one the owner handles it at the desk.
    Priority moves with the urgency and keeps what repeats and missed clocks added.
    """
    require_stage(case, "assess", frozenset({Stage.ACCEPTED}))
    after = entered(case, Stage.ASSESSED if visit else Stage.ASSIGNED, now)
    shift = urgency_priorities[verdict.urgency] - urgency_priorities[case.urgency]
    after.priority = min(steps.LOWEST_PRIORITY, max(steps.HIGHEST_PRIORITY, case.priority + shift))
    after.kind, after.category, after.urgency = verdict.kind, verdict.category, verdict.urgency
    after.classification_confirmed = True
    kept = verdict == Classification(case.proposed_kind, case.proposed_category, case.proposed_urgency)
    assessed = events_pb2.CaseAssessed(
        case_id=str(case.case_id),
        classification=cases_pb2.Classification(kind=verdict.kind, category=verdict.category, urgency=verdict.urgency),
        proposal_kept=kept,
        needs_visit=visit is not None,
        assessed_by=assessor,
    )
    details = {
        "kind": verdict.kind,
        "category": verdict.category,
        "urgency": verdict.urgency,
        "kept": str(kept).lower(),
    }
    if visit is not None:
        after.work_order_id = visit.work_order_id
        after.work_order_version = 0
        return Step(
            after=after,
            happened="case_assessed",
            details={**details, "work_order_id": str(visit.work_order_id), "skill": visit.skill, "level": visit.level},
            meets=(case.response_clock,),
            events=(assessed,),
            commands=(_work_order_for(after, visit),),
        )
    after.handler = after.handler_user_id = case.owner
    return Step(
        after=after,
        happened="case_assessed",
        details={**details, "handler": after.handler},
        meets=(case.response_clock, steps.ASSESSMENT),
        starts=(ClockStart(steps.STAFF_ASSESSMENT), ClockStart(steps.HANDLING)),
        events=(assessed, events_pb2.CaseAssigned(case_id=str(case.case_id), handler=after.handler)),
    )


def start_handling(case: Case, now: datetime, *, handler: str) -> Step:
    """A desk case is taken in hand; whoever takes it becomes its handler, and the history keeps who it was before."""
    require_stage(case, "start_handling", frozenset({Stage.ASSIGNED}))
    if case.work_order_id is not None:
        raise forbidden(case, "start_handling")
    after = entered(case, Stage.HANDLING, now)
    after.handler = after.handler_user_id = handler
    return Step(
        after=after,
        happened="handling_started",
        details={"handler": handler, "previous_handler": case.handler},
        meets=(steps.STAFF_ASSESSMENT,),
        events=(events_pb2.CaseHandlingStarted(case_id=str(case.case_id), handler=handler),),
    )


def deliver(case: Case, now: datetime, *, result: str, delivered_by: str) -> Step:
    """The desk feeds its result back to the customer (INT-05). Others' results come by themselves."""
    require_stage(case, "deliver_result", frozenset({Stage.HANDLING}))
    if case.work_order_id is not None or case.complaint_id is not None or case.incident_id is not None:
        raise forbidden(case, "deliver_result")
    return delivered(case, now, handled_at=now, result=result, delivered_by=delivered_by)


def delivered(case: Case, now: datetime, *, handled_at: datetime, result: str, delivered_by: str) -> Step:
    """The result reaches the customer, and the survey with it unless this case has its answer already (INT-12)."""
    after = entered(case, Stage.DELIVERED, now)
    after.result = result
    case_id = str(case.case_id)
    announced = events_pb2.CaseResultDelivered(case_id=case_id, delivered_by=delivered_by)
    announced.handled_at.FromDatetime(handled_at)
    events: list[Message] = [announced]
    if case.satisfaction == 0:
        after.survey_sent_at = now
        events.append(events_pb2.SurveySent(case_id=case_id, channel=case.channel))
    return Step(
        after=after,
        happened="result_delivered",
        details={"delivered_by": delivered_by, "survey": "sent" if case.satisfaction == 0 else "answered_before"},
        starts=(ClockStart(steps.RESULT_FEEDBACK, at=handled_at), ClockStart(steps.CUSTOMER_CONFIRMATION)),
        meets=(*steps.WORK_CLOCKS, steps.RESULT_FEEDBACK),
        events=tuple(events),
    )


def confirm(case: Case, now: datetime, *, confirmation: Confirmation) -> Step:
    """The result stands, by the customer's word or by their silence until the clock ran out (INT-11)."""
    require_stage(case, "confirm_result", frozenset({Stage.DELIVERED}))
    after = entered(case, Stage.CONFIRMED, now)
    after.confirmation = confirmation
    return Step(
        after=after,
        happened="result_confirmed",
        details={"confirmation": confirmation.value},
        meets=(steps.CUSTOMER_CONFIRMATION,),
        starts=(ClockStart(steps.FOLLOW_UP),),
        events=(
            events_pb2.CaseConfirmed(
                case_id=str(case.case_id),
                confirmation=f"CONFIRMATION_{confirmation.value.upper()}",
            ),
        ),
    )


def reopen_unsolved(case: Case, now: datetime) -> Step:
    """ "Not solved": the same case goes round again, more important than before (INT-11)."""
    require_stage(case, "reopen", ANSWERABLE)
    return reopened(
        case,
        now,
        reason="not_solved",
        cancels=(steps.FOLLOW_UP,),
        starts=(case.response_clock, steps.ASSESSMENT),
        meets=(steps.CUSTOMER_CONFIRMATION,),
    )


def reopened(
    case: Case,
    now: datetime,
    *,
    reason: str,
    cancels: tuple[str, ...],
    starts: tuple[str, ...],
    meets: tuple[str, ...] = (),
    more_important: bool = True,
) -> Step:
    """Back to the start of the loop: nobody assigned, no work order, the clocks begin anew.

    `more_important`: the customer has had nothing from it yet, so it counts, and goes before others.
    """
    after = entered(case, Stage.ACCEPTED, now)
    if more_important:
        after.priority = raised(case.priority)
        after.reopened_times += 1
    after.handler = after.handler_user_id = after.handler_name = ""
    after.work_order_id, after.work_order_version = None, 0
    after.complaint_id = after.incident_id = None
    after.appointed_from = after.appointed_until = None
    after.result, after.confirmation, after.survey_sent_at = "", Confirmation.UNCONFIRMED, None
    return Step(
        after=after,
        happened="case_reopened",
        details={"reason": reason, "priority": str(after.priority)},
        cancels=cancels,
        starts=tuple(ClockStart(clock) for clock in starts),
        meets=meets,
        events=(
            events_pb2.CaseReopened(
                case_id=str(case.case_id),
                priority=after.priority,
                reopened_times=after.reopened_times,
                reason=reason,
            ),
        ),
    )


def join_report(case: Case, now: datetime, *, channel: str) -> tuple[Step, ...]:
    """The same problem was reported again (INT-14). A report on a case whose result is out says "not solved"."""
    require_stage(case, "join_report", OPEN)
    after = changed(case)
    after.waiting_for_customer = False
    joined = Step(
        after=after,
        happened="report_joined",
        details={"channel": channel},
        events=(events_pb2.CaseReportJoined(case_id=str(case.case_id), channel=channel),),
    )
    if case.stage in UNSOLVED:
        return (joined,)
    return joined, reopen_unsolved(after, now)


def close(case: Case, now: datetime, *, reached: bool) -> Step:
    """回访 is done and the case is closed (INT-05). The use case announces it with the whole history."""
    require_stage(case, "record_follow_up", frozenset({Stage.CONFIRMED}))
    after = entered(case, Stage.CLOSED, now)
    after.outcome, after.closed_at = Outcome.SOLVED, now
    return Step(
        after=after,
        happened="case_closed",
        details={"outcome": Outcome.SOLVED.value, "reached": str(reached).lower()},
        meets=(steps.FOLLOW_UP,),
        starts=(ClockStart(steps.FILING),),
    )


def withdraw(case: Case, now: datetime) -> Step:
    """The customer no longer wants it; it still goes into the archive. What others do for it is called off."""
    require_stage(case, "withdraw", UNSOLVED)
    after = entered(case, Stage.CLOSED, now)
    after.outcome, after.closed_at = Outcome.WITHDRAWN, now
    case_id = str(case.case_id)
    called_off: list[Message] = []
    if case.work_order_id is not None:
        work_order_id = str(case.work_order_id)
        called_off.append(
            dispatch_events.CancelWorkOrder(work_order_id=work_order_id, case_id=case_id, reason="case_withdrawn")
        )
    if case.complaint_id is not None:
        called_off.append(complaints_commands.WithdrawComplaint(complaint_id=str(case.complaint_id), case_id=case_id))
    return Step(
        after=after,
        happened="case_withdrawn",
        details={"outcome": Outcome.WITHDRAWN.value},
        cancels_all=True,
        starts=(ClockStart(steps.FILING),),
        commands=tuple(called_off),
    )


def archive(case: Case, now: datetime, *, record_id: UUID) -> Step:
    """Records has filed it: the end of the loop."""
    require_stage(case, "archive", frozenset({Stage.CLOSED}))
    after = entered(case, Stage.ARCHIVED, now)
    after.record_id = record_id
    return Step(
        after=after,
        happened="case_archived",
        details={"record_id": str(record_id)},
        meets=(steps.FILING,),
        events=(events_pb2.CaseArchived(case_id=str(case.case_id), record_id=str(record_id)),),
    )


def _work_order_for(case: Case, visit: Visit) -> dispatch_events.CreateWorkOrder:
    return dispatch_events.CreateWorkOrder(
        work_order_id=str(visit.work_order_id),
        case_id=str(case.case_id),
        case_number=case.case_number,
        region=case.region,
        skill=visit.skill,
        level=visit.level,
        priority=case.priority,
        customer_id=str(case.customer_id),
        sealing_key=visit.sealing_key,
    )
