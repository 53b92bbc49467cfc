"""The way of a complaint from registration to the customer's answer, and what each move brings (CMP-01, CMP-05).

Pure: a rule takes the complaint and what happened, and returns a Step. A move that is not allowed from the stage the
complaint is in raises Fault("transition_forbidden"). How it ends is in ending.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bihuan.complaints.v1 import events_pb2
from servicekit.errors import Fault

from complaints.complaints import steps
from complaints.complaints.complaint import OPEN, Complaint, Outcome, Stage
from complaints.complaints.messages import proposed_message
from complaints.complaints.steps import Step, changed, forbidden, ids_of, raised, require_stage


@dataclass(frozen=True, slots=True)
class Severity:
    """How grave a complaint is, as the standards have it, and who leads where management must be told (CMP-03)."""

    name: str
    clock: str
    alerts_management: bool
    leader: str


def register(complaint: Complaint, severity: Severity) -> Step:
    """The first version. What looks major alerts management at once; a person's confirmation comes after (CMP-03)."""
    event = events_pb2.ComplaintRegistered(
        **ids_of(complaint),
        complaint_number=complaint.complaint_number,
        customer_id=str(complaint.customer_id),
        channel=complaint.channel,
        region=complaint.region,
        proposed=proposed_message(complaint),
        owner=complaint.owner,
        repeat_of=str(complaint.repeat_of or ""),
    )
    return Step(
        after=complaint,
        happened="complaint_registered",
        details={"class": complaint.complaint_class, "severity": complaint.severity, "channel": complaint.channel},
        starts=(
            steps.REGISTRATION,
            steps.CLASSIFICATION,
            steps.START,
            steps.FIRST_HANDLING,
            steps.RESULT,
            steps.CLOSURE,
            *((severity.clock,) if severity.alerts_management else ()),
        ),
        starts_at=complaint.accepted_at,
        meets=(steps.REGISTRATION,),
        events=(event, *_alerts(complaint, severity)),
    )


def classify(
    complaint: Complaint,
    *,
    complaint_class: str,
    severity: Severity,
    before: Severity,
    person_concerned: str,
    classified_by: str,
) -> Step:
    """A person confirms or overrides the proposal (CMP-02, CMP-03). `before`: the severity that it had until now."""
    require_stage(complaint, "classify", Stage.REGISTERED)
    already_alerted = before.alerts_management and severity.alerts_management
    after = changed(
        complaint,
        stage=Stage.CLASSIFIED,
        complaint_class=complaint_class,
        severity=severity.name,
        classification_confirmed=True,
        leader=severity.leader,
        person_concerned=person_concerned,
    )
    kept = (complaint_class, severity.name) == (complaint.proposed_class, complaint.proposed_severity)
    event = events_pb2.ComplaintClassified(
        **ids_of(complaint),
        complaint_class=complaint_class,
        severity=severity.name,
        proposal_kept=kept,
        classified_by=classified_by,
    )
    return Step(
        after=after,
        happened="complaint_classified",
        details={"class": complaint_class, "severity": severity.name, "kept": str(kept).lower()},
        cancels=(before.clock,) if before.alerts_management and not already_alerted else (),
        starts=() if already_alerted else (severity.clock,),
        meets=(steps.CLASSIFICATION,),
        events=(event, *(() if already_alerted else _alerts(after, severity))),
    )


def take_lead(complaint: Complaint, severity: Severity, *, leader: str) -> Step:
    """A leader is there and answers for it from now on (CMP-03)."""
    require_stage(complaint, "take_lead", *OPEN)
    if not severity.alerts_management:
        raise forbidden(complaint, "take_lead")
    return Step(
        after=changed(complaint, leader=leader),
        happened="lead_taken",
        details={"leader": leader},
        meets=(severity.clock,),
        events=(events_pb2.ComplaintLeadTaken(**ids_of(complaint), leader=leader),),
    )


def hand_over(complaint: Complaint, *, to: str) -> Step:
    """First-contact responsibility passes on explicitly (CMP-01)."""
    require_stage(complaint, "hand_over", *OPEN)
    if to == complaint.owner:
        raise forbidden(complaint, "hand_over")
    event = events_pb2.ComplaintHandedOver(**ids_of(complaint), to=to)
    setattr(event, "from", complaint.owner)  # a keyword in Python, a field in the contract
    return Step(
        after=changed(complaint, owner=to),
        happened="complaint_handed_over",
        details={"from": complaint.owner, "to": to},
        events=(event,),
    )


def start(complaint: Complaint, *, handler: str) -> Step:
    """Somebody takes it in hand; nobody handles a complaint about themselves.

    Raises Fault("complaint_about_handler").
    """
    require_stage(complaint, "start", Stage.CLASSIFIED)
    if handler == complaint.person_concerned:
        raise Fault("complaint_about_handler")
    return Step(
        after=changed(complaint, stage=Stage.HANDLING, handler=handler),
        happened="complaint_started",
        details={"handler": handler},
        meets=(steps.START,),
        events=(events_pb2.ComplaintStarted(**ids_of(complaint), handler=handler),),
    )


def record_handling(complaint: Complaint, now: datetime) -> Step:
    """Something was done about it; the first time counts as first handling (CMP-01)."""
    require_stage(complaint, "record_handling", Stage.HANDLING)
    if complaint.first_handled_at is not None:
        return Step(after=changed(complaint), happened="handling_recorded")
    return Step(
        after=changed(complaint, first_handled_at=now),
        happened="first_handled",
        meets=(steps.FIRST_HANDLING,),
        events=(events_pb2.ComplaintFirstHandled(**ids_of(complaint)),),
    )


def resolve(complaint: Complaint, now: datetime, *, result: str, severity: Severity) -> Step:
    """It is handled, and the customer is to be told within the time of the notice (CMP-05)."""
    require_stage(complaint, "resolve", Stage.HANDLING)
    after = changed(
        complaint,
        stage=Stage.HANDLED,
        result=result,
        handled_at=now,
        first_handled_at=complaint.first_handled_at or now,
    )
    return Step(
        after=after,
        happened="complaint_handled",
        starts=(steps.RESULT_NOTICE,),
        # A major complaint's clock ends with its leader's coming, not with its handling.
        meets=(steps.FIRST_HANDLING, *(() if severity.alerts_management else (severity.clock,))),
        events=(events_pb2.ComplaintHandled(**ids_of(complaint)),),
    )


def feed_back(complaint: Complaint, *, told: str, fed_back_by: str) -> Step:
    """The customer is told the result; next they are asked how satisfied they are (CMP-05).

    `told`: the result as intake gets it.
    """
    require_stage(complaint, "feed_back", Stage.HANDLED)
    event = events_pb2.ComplaintResultFedBack(**ids_of(complaint), result=told, fed_back_by=fed_back_by)
    assert complaint.handled_at is not None
    event.handled_at.FromDatetime(complaint.handled_at)
    return Step(
        after=changed(complaint, stage=Stage.FED_BACK),
        happened="result_fed_back",
        starts=(steps.SATISFACTION,),
        meets=(steps.RESULT, steps.RESULT_NOTICE),
        events=(event,),
    )


def reopen(complaint: Complaint, *, score: int, severity: Severity) -> Step:
    """The customer is not satisfied: it is handled again, more important than before (CMP-05)."""
    require_stage(complaint, "reopen", Stage.FED_BACK)
    after = changed(
        complaint,
        stage=Stage.HANDLING,
        priority=raised(complaint.priority),
        satisfaction=score,
        reopened_times=complaint.reopened_times + 1,
        result="",
        handled_at=None,
    )
    event = events_pb2.ComplaintReopened(**ids_of(complaint), reopened_times=after.reopened_times)
    return Step(
        after=after,
        happened="complaint_reopened",
        details={"score": str(score), "priority": str(after.priority)},
        starts=(steps.RESULT, *(() if severity.alerts_management else (severity.clock,))),
        meets=(steps.SATISFACTION,),
        events=(event,),
    )


def settle(complaint: Complaint, *, outcome: Outcome, result: str, told: str, score: int, happened: str) -> Step:
    """Nothing is between us and the customer any more; what is to be learned from it still is (CMP-05, CMP-06).

    `told`: the result as intake gets it.
    """
    require_stage(complaint, "settle", Stage.FED_BACK, Stage.DISPUTED)
    after = changed(complaint, stage=Stage.SETTLED, outcome=outcome, result=result, satisfaction=score)
    event = events_pb2.ComplaintSettled(
        **ids_of(complaint),
        outcome=f"COMPLAINT_OUTCOME_{outcome.upper()}",
        result=told,
        satisfaction=score,
    )
    return Step(
        after=after,
        happened=happened,
        details={"outcome": outcome.value, "score": str(score)},
        meets=(steps.SATISFACTION,),
        events=(event,),
    )


def escalate(complaint: Complaint, *, clock: str, to: str) -> Step:
    """A clock was missed: the complaint becomes more important and the region's supervisor is told (CMP-01)."""
    after = changed(complaint, priority=raised(complaint.priority))
    event = events_pb2.ComplaintEscalated(**ids_of(complaint), clock=clock, priority=after.priority, escalated_to=to)
    details: Mapping[str, str] = {"clock": clock, "escalated_to": to, "priority": str(after.priority)}
    return Step(after=after, happened="complaint_escalated", details=details, events=(event,))


def _alerts(complaint: Complaint, severity: Severity) -> tuple[events_pb2.MajorComplaintAlerted, ...]:
    if not severity.alerts_management:
        return ()
    return (
        events_pb2.MajorComplaintAlerted(
            **ids_of(complaint),
            complaint_number=complaint.complaint_number,
            region=complaint.region,
            severity=severity.name,
            leader=severity.leader,
        ),
    )
