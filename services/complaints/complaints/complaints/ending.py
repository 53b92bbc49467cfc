"""How a complaint ends: closed with what was learned, or withdrawn; then filed (CMP-01, CMP-08, REC-01). Pure."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1 import events_pb2
from servicekit.errors import Fault

from complaints.causes import CauseRow
from complaints.complaints import steps
from complaints.complaints.complaint import UNSETTLED, Complaint, Outcome, Stage
from complaints.complaints.rules import Severity
from complaints.complaints.steps import Step, changed, ids_of, require_stage
from complaints.improvements import ImprovementRow, ImprovementState


def close(
    complaint: Complaint,
    now: datetime,
    *,
    summary: str,
    cause: CauseRow | None,
    improvements: Collection[ImprovementRow],
    severity: Severity,
) -> Step:
    """The loop is closed with a summary, its root cause and an improvement that has proved itself.

    Raises Fault("cause_missing") or Fault("improvement_unfinished").
    """
    require_stage(complaint, "close", Stage.SETTLED)
    if cause is None:
        raise Fault("cause_missing")
    if not improvements or any(each.state != ImprovementState.STANDARDISED for each in improvements):
        raise Fault("improvement_unfinished")
    return Step(
        after=changed(complaint, stage=Stage.CLOSED, summary=summary, closed_at=now),
        happened="complaint_closed",
        details={"outcome": complaint.outcome.value},
        # Where no leader ever came to a major complaint, nobody need come any more.
        cancels=(severity.clock,),
        starts=(steps.FILING,),
        meets=(steps.CLOSURE,),
    )


def withdraw(complaint: Complaint, now: datetime) -> Step:
    """The customer no longer wants it; what was done so far still goes into the archive."""
    require_stage(complaint, "withdraw", *UNSETTLED)
    return Step(
        after=changed(complaint, stage=Stage.CLOSED, outcome=Outcome.WITHDRAWN, closed_at=now),
        happened="complaint_withdrawn",
        details={"outcome": Outcome.WITHDRAWN.value},
        cancels_all=True,
        starts=(steps.FILING,),
    )


def archive(complaint: Complaint, *, record_id: UUID) -> Step:
    """Records has filed it: the end of the loop."""
    require_stage(complaint, "archive", Stage.CLOSED)
    return Step(
        after=changed(complaint, stage=Stage.ARCHIVED, record_id=record_id),
        happened="complaint_archived",
        details={"record_id": str(record_id)},
        meets=(steps.FILING,),
        events=(events_pb2.ComplaintArchived(**ids_of(complaint), record_id=str(record_id)),),
    )
