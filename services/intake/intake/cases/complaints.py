"""How a case that was handed to complaints follows its complaint (INT-02).

Pure, like rules.py. The case waits in HANDLING, with complaints for its handler, until the complaint's result is fed
back; it goes back there when the customer refuses the result. What comes too late, or is about a complaint that is no
longer the case's own, is kept in the history and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1 import commands_pb2
from bihuan.intake.v1 import events_pb2
from servicekit.errors import Fault
from servicekit.keywords import Found

from intake.cases import rules, steps
from intake.cases.case import ANSWERABLE, UNSOLVED, Case, Confirmation, Stage
from intake.cases.steps import ClockStart, Step, entered, noted

KIND = "complaint"
# Who handles it then, as histories and customers see it.
HANDLER = "complaints"


def hand_over(assessed: Step, *, complaint_id: UUID, keywords: Iterable[Found], sealing_key: bytes) -> Step:
    """The assessment of a desk case, with complaints in the place of the desk.

    The customer's own words stay here; only the keywords found in them go along, and what complaints is to seal its
    result with. Raises Fault("kind_unknown") for a case of another kind.
    """
    case = assessed.after
    if case.kind != KIND:
        raise Fault("kind_unknown", field="classification.kind", kind=case.kind)
    after = case.model_copy(update={"stage": Stage.HANDLING, "complaint_id": complaint_id})
    after.handler = after.handler_user_id = HANDLER
    command = commands_pb2.RegisterComplaint(
        complaint_id=str(complaint_id),
        case_id=str(case.case_id),
        case_number=case.case_number,
        customer_id=str(case.customer_id),
        channel=case.channel,
        region=case.region,
        category=case.category,
        owner=case.owner,
        priority=case.priority,
        keywords=[commands_pb2.KeywordMatch(rule=each.rule, word=each.word) for each in keywords],
        accepted_at=case.accepted_at,
        language=case.language,
        sealing_key=sealing_key,
    )
    assigned = events_pb2.CaseAssigned(case_id=str(case.case_id), handler=HANDLER)
    return replace(
        assessed,
        after=after,
        details={**assessed.details, "handler": HANDLER, "complaint_id": str(complaint_id)},
        starts=(ClockStart(steps.COMPLAINT_RESULT, at=case.accepted_at),),
        events=(*(event for event in assessed.events if isinstance(event, events_pb2.CaseAssessed)), assigned),
        commands=(command,),
    )


def follows(case: Case, complaint_id: UUID) -> bool:
    """Whether news of this complaint may still move the case."""
    return case.complaint_id == complaint_id


def resulted(case: Case, now: datetime, *, result: str, handled_at: datetime) -> Step:
    """The complaint's result was fed back, or settled at the end of a dispute."""
    if case.stage != Stage.HANDLING:
        return noted(case, "complaint_result_noted")
    return rules.delivered(case, now, handled_at=handled_at, result=result, delivered_by=HANDLER)


def taken_back(case: Case, now: datetime) -> Step:
    """The customer refuses the result: complaints goes on with it, and the case waits again."""
    if case.stage not in ANSWERABLE:
        return noted(case, "complaint_reopening_noted")
    after = entered(case, Stage.HANDLING, now)
    after.handler = after.handler_user_id = HANDLER
    after.reopened_times += 1
    after.result, after.confirmation, after.survey_sent_at = "", Confirmation.UNCONFIRMED, None
    event = events_pb2.CaseReopened(
        case_id=str(case.case_id),
        priority=after.priority,
        reopened_times=after.reopened_times,
        reason="complaint_reopened",
    )
    return Step(
        after=after,
        happened="case_reopened",
        details={"reason": "complaint_reopened", "priority": str(after.priority)},
        cancels=(steps.CUSTOMER_CONFIRMATION, steps.FOLLOW_UP),
        starts=(ClockStart(steps.COMPLAINT_RESULT),),
        events=(event,),
    )


def withdrawable(case: Case) -> bool:
    """Whether the case goes with a complaint that was withdrawn."""
    return case.stage in UNSOLVED
