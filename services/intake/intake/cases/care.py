"""What happens to a case beside its way round the loop: waiting, hand-over, escalation, contacts, the survey's answer.

Pure, like rules.py: none of these moves the case to another stage.
"""

from bihuan.intake.v1 import events_pb2
from servicekit.errors import Fault

from intake.cases.case import ANSWERABLE, OPEN, UNSOLVED, Case, Stage
from intake.cases.steps import Step, changed, forbidden, raised, require_stage


def pause(case: Case) -> Step:
    """The clocks stand still while we wait for the customer (INT-07)."""
    require_stage(case, "pause", UNSOLVED)
    if case.waiting_for_customer:
        raise forbidden(case, "pause")
    after = changed(case)
    after.waiting_for_customer = True
    return Step(
        after=after,
        happened="case_paused",
        events=(events_pb2.CasePaused(case_id=str(case.case_id)),),
    )


def resume(case: Case) -> Step:
    if not case.waiting_for_customer:
        raise forbidden(case, "resume")
    after = changed(case)
    after.waiting_for_customer = False
    return Step(
        after=after,
        happened="case_resumed",
        events=(events_pb2.CaseResumed(case_id=str(case.case_id)),),
    )


def hand_over(case: Case, *, to: str) -> Step:
    """First-contact responsibility passes on explicitly (INT-08). Work at the desk goes with it, a visit does not."""
    require_stage(case, "hand_over", OPEN)
    if to == case.owner:
        raise forbidden(case, "hand_over")
    after = changed(case)
    after.owner = to
    if case.handler == case.owner and case.work_order_id is None:
        after.handler = after.handler_user_id = to
    event = events_pb2.CaseHandedOver(case_id=str(case.case_id), to=to)
    setattr(event, "from", case.owner)  # a keyword in Python, a field in the contract
    return Step(
        after=after,
        happened="case_handed_over",
        details={"from": case.owner, "to": to},
        events=(event,),
    )


def escalate(case: Case, *, clock: str, supervisor: str) -> Step:
    """A clock was missed: the case becomes more important and the region's supervisor is told (INT-07)."""
    if case.stage == Stage.ARCHIVED:
        raise forbidden(case, "escalate")
    after = changed(case)
    after.priority = raised(case.priority)
    return Step(
        after=after,
        happened="case_escalated",
        details={"clock": clock, "escalated_to": supervisor, "priority": str(after.priority)},
        events=(
            events_pb2.CaseEscalated(
                case_id=str(case.case_id), clock=clock, priority=after.priority, escalated_to=supervisor
            ),
        ),
    )


def add_interaction(case: Case, *, channel: str, inbound: bool) -> Step:
    """A contact about an open case. When the customer contacts us, the wait for them is over (INT-07)."""
    require_stage(case, "add_interaction", OPEN)
    details = {"channel": channel, "direction": "inbound" if inbound else "outbound"}
    after = changed(case)
    if not (inbound and case.waiting_for_customer):
        return Step(after=after, happened="interaction_added", details=details)
    after.waiting_for_customer = False
    return Step(
        after=after,
        happened="interaction_added",
        details={**details, "wait": "ended"},
        events=(events_pb2.CaseResumed(case_id=str(case.case_id)),),
    )


def answer_survey(case: Case, *, score: int, channel: str) -> Step:
    """The one valid answer of this case, while its follow-up can still act on it (INT-12)."""
    if case.satisfaction:
        raise Fault("survey_already_answered")
    require_stage(case, "answer_survey", ANSWERABLE)
    after = changed(case)
    after.satisfaction = score
    return Step(
        after=after,
        happened="survey_answered",
        details={"score": str(score), "channel": channel},
        events=(events_pb2.SurveyAnswered(case_id=str(case.case_id), score=score, channel=channel),),
    )


def note_low_score(case: Case) -> Step:
    """A dissatisfied customer: their case matters more, and only the supervisor's follow-up may close it (INT-12)."""
    after = changed(case)
    after.priority = raised(case.priority)
    return Step(after=after, happened="low_score", details={"priority": str(after.priority)})
