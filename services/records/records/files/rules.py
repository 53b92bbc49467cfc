"""What must be there for a complete record, and which class it is kept as (REC-01, REC-05). Pure."""

from collections.abc import Iterator

from bihuan.complaints.v1.complaints_pb2 import (
    COMPLAINT_OUTCOME_UNANSWERED,
    COMPLAINT_OUTCOME_UNSPECIFIED,
    COMPLAINT_OUTCOME_WITHDRAWN,
)
from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.cases_pb2 import (
    CASE_OUTCOME_UNSPECIFIED,
    CASE_OUTCOME_WITHDRAWN,
    CONFIRMATION_UNSPECIFIED,
)
from bihuan.intake.v1.events_pb2 import CaseClosed

# Actors of a history that are not staff.
NOT_STAFF = frozenset({"", "customer", "system"})
# What intake notes in the details of a result's delivery: the survey went out, so that no answer is an answer too.
SURVEY_SENT = ("survey", "sent")

COMPLAINT = "complaint"
DISPUTE = "dispute"
SERVICE_CASE = "service_case"


def staff_of(closed: CaseClosed | ComplaintClosed) -> list[str]:
    """Everybody who did something with the case or complaint or answered for it, in order of appearance."""
    named = [entry.actor for entry in closed.history] + [closed.snapshot.owner, closed.snapshot.handler]
    return [name for name in dict.fromkeys(named) if name not in NOT_STAFF]


def retention_class_of(closed: CaseClosed | ComplaintClosed) -> str:
    """The class of standards/retention.yaml that says how it is graded and how long it is kept (REC-05, REC-06)."""
    if isinstance(closed, ComplaintClosed):
        return DISPUTE if closed.snapshot.dispute else COMPLAINT
    return COMPLAINT if closed.snapshot.classification.kind == COMPLAINT else SERVICE_CASE


def missing_from(closed: CaseClosed) -> list[str]:
    """The parts of REC-01 that are not there, by name; empty for a complete record.

    What was asked for and not given is recorded absence, and complete: a silent customer's confirmation by default, a
    survey without an answer. A withdrawn case needs neither result nor feedback nor rating.
    """
    return list(_missing(closed))


def _missing(closed: CaseClosed) -> Iterator[str]:
    case = closed.snapshot
    withdrawn = case.outcome == CASE_OUTCOME_WITHDRAWN
    surveyed = any(entry.details.get(SURVEY_SENT[0]) == SURVEY_SENT[1] for entry in closed.history)
    present = {
        "service_number": bool(case.case_number),
        "date": case.HasField("accepted_at") and case.HasField("closed_at"),
        "content": bool(closed.sealed) and bool(closed.history),
        "staff": bool(staff_of(closed)),
        "customer": bool(case.customer_id),
        "status": case.outcome != CASE_OUTCOME_UNSPECIFIED,
        "result": bool(case.result) or withdrawn,
        "feedback": case.confirmation != CONFIRMATION_UNSPECIFIED or withdrawn,
        "rating": case.satisfaction > 0 or surveyed or withdrawn,
    }
    return (part for part, is_there in present.items() if not is_there)


def missing_from_complaint(closed: ComplaintClosed) -> list[str]:
    """The same for a complaint. Where it came from a case, the case's record holds the customer's own words."""
    complaint = closed.snapshot
    withdrawn = complaint.outcome == COMPLAINT_OUTCOME_WITHDRAWN
    # An answer that was asked for and not given, and a dispute's end, stand in the place of a rating.
    rated = complaint.satisfaction > 0 or complaint.outcome == COMPLAINT_OUTCOME_UNANSWERED or bool(complaint.dispute)
    present = {
        "service_number": bool(complaint.complaint_number),
        "date": complaint.HasField("accepted_at") and complaint.HasField("closed_at"),
        "content": bool(closed.history) and (bool(closed.sealed) or bool(complaint.case_id)),
        "staff": bool(staff_of(closed)),
        "customer": bool(complaint.customer_id),
        "status": complaint.outcome != COMPLAINT_OUTCOME_UNSPECIFIED,
        "result": bool(complaint.result) or withdrawn,
        "feedback": bool(complaint.summary) or withdrawn,
        "rating": rated or withdrawn,
    }
    return [part for part, is_there in present.items() if not is_there]
