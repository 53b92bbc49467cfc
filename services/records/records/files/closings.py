"""What is filed: a closed case or a closed complaint, as its closing event tells it (REC-01). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from bihuan.complaints.v1.complaints_pb2 import COMPLAINT_OUTCOME_WITHDRAWN
from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.cases_pb2 import CaseOutcome
from bihuan.intake.v1.events_pb2 import CaseClosed
from google.protobuf.timestamp_pb2 import Timestamp

from records.files.record import Outcome
from records.files.rules import (
    COMPLAINT,
    SERVICE_CASE,
    missing_from,
    missing_from_complaint,
    retention_class_of,
    staff_of,
)
from standards import Standards


@dataclass(frozen=True, slots=True)
class Closing:
    """A closing event with what the catalogue keeps of it; see `Record` for the fields."""

    event: CaseClosed | ComplaintClosed
    record_class: str
    entity_id: UUID
    number: str
    version: int
    grade: str
    retention_class: str
    category: str
    kind: str
    outcome: Outcome
    staff: Sequence[str]
    missing: Sequence[str]

    @property
    def region(self) -> str:
        return self.event.snapshot.region

    @property
    def customer_id(self) -> UUID | None:
        return UUID(self.event.snapshot.customer_id) if self.event.snapshot.customer_id else None

    @property
    def accepted_at(self) -> datetime | None:
        snapshot = self.event.snapshot
        return _moment(snapshot.accepted_at) if snapshot.HasField("accepted_at") else None

    @property
    def closed_at(self) -> datetime | None:
        snapshot = self.event.snapshot
        return _moment(snapshot.closed_at) if snapshot.HasField("closed_at") else None


def closing_of(closed: CaseClosed | ComplaintClosed, standards: Standards) -> Closing:
    """What is to be filed of a closing event."""
    return _of_case(closed, standards) if isinstance(closed, CaseClosed) else _of_complaint(closed, standards)


def _of_case(closed: CaseClosed, standards: Standards) -> Closing:
    case = closed.snapshot
    return Closing(
        event=closed,
        record_class=SERVICE_CASE,
        entity_id=UUID(closed.case_id),
        number=case.case_number,
        version=case.version,
        grade=standards.retention[retention_class_of(closed)].grade,
        retention_class=retention_class_of(closed),
        category=case.classification.category,
        kind=case.classification.kind,
        outcome=Outcome(CaseOutcome.Name(case.outcome).removeprefix("CASE_OUTCOME_").lower()),
        staff=staff_of(closed),
        missing=missing_from(closed),
    )


def _of_complaint(closed: ComplaintClosed, standards: Standards) -> Closing:
    complaint = closed.snapshot
    withdrawn = complaint.outcome == COMPLAINT_OUTCOME_WITHDRAWN
    return Closing(
        event=closed,
        record_class=COMPLAINT,
        entity_id=UUID(closed.complaint_id),
        number=complaint.complaint_number,
        version=complaint.version,
        grade=standards.retention[retention_class_of(closed)].grade,
        retention_class=retention_class_of(closed),
        category=complaint.category,
        kind=complaint.complaint_class,
        outcome=Outcome.WITHDRAWN if withdrawn else Outcome.SOLVED,
        staff=staff_of(closed),
        missing=missing_from_complaint(closed),
    )


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)
