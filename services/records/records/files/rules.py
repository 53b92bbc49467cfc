"""What a closed case must bring with it to be a complete record, and how it is graded (REC-01, REC-05). Pure."""

from collections.abc import Iterator

from bihuan.intake.v1.cases_pb2 import (
    CASE_OUTCOME_UNSPECIFIED,
    CASE_OUTCOME_WITHDRAWN,
    CONFIRMATION_UNSPECIFIED,
)
from bihuan.intake.v1.events_pb2 import CaseClosed

from standards import Standards

# Actors of a history that are not staff.
NOT_STAFF = frozenset({"", "customer", "system"})
# What intake notes in the details of a result's delivery: the survey went out, so that no answer is an answer too.
SURVEY_SENT = ("survey", "sent")

COMPLAINT = "complaint"
SERVICE_CASE = "service_case"


def staff_of(closed: CaseClosed) -> list[str]:
    """Everybody who did something with the case or answered for it, in order of appearance."""
    named = [entry.actor for entry in closed.history] + [closed.snapshot.owner, closed.snapshot.handler]
    return [name for name in dict.fromkeys(named) if name not in NOT_STAFF]


def grade_of(closed: CaseClosed, standards: Standards) -> str:
    """The data grade that the standards give to records of this class (REC-05)."""
    kind = closed.snapshot.classification.kind
    return standards.retention[COMPLAINT if kind == COMPLAINT else SERVICE_CASE].grade


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
