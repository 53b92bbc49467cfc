"""Disputes: mediation 调解, then arbitration 仲裁, then litigation 诉讼; no stage is skipped (CMP-06). Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from complaints.complaints import steps
from complaints.complaints.complaint import Complaint, Stage
from complaints.complaints.steps import Step, changed, ids_of, require_stage


class DisputeRow(SQLModel, table=True):
    """One stage of a complaint's dispute, with its documents and dates."""

    __tablename__ = "dispute_stages"

    complaint_id: UUID = Field(primary_key=True)
    stage: str = Field(primary_key=True, sa_type=Text)
    opened_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    outcome: str = Field(default="", sa_type=Text)
    # Each with title, checksum, filed_by and filed_at (ISO 8601).
    documents: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)


DISPUTES = DisputeRow.metadata.tables["dispute_stages"]


def open_dispute(complaint: Complaint, now: datetime, *, orders: Mapping[str, int]) -> Step:
    """The customer refuses the result. `orders`: the order of each stage, from the standards."""
    require_stage(complaint, "open_dispute", Stage.FED_BACK)
    first = min(orders, key=lambda stage: orders[stage])
    return Step(
        after=changed(complaint, stage=Stage.DISPUTED),
        happened="dispute_opened",
        details={"stage": first},
        meets=(steps.SATISFACTION,),
        events=(_opened(complaint, first),),
        rows=(DisputeRow(complaint_id=complaint.complaint_id, stage=first, opened_at=now),),
    )


def advance(
    complaint: Complaint,
    now: datetime,
    dispute: Sequence[DisputeRow],
    *,
    to: str,
    outcome: str,
    orders: Mapping[str, int],
) -> Step:
    """The stage ended without agreement, and the next one begins.

    Raises Fault("dispute_stage_skipped") for any other stage than the next one.
    """
    require_stage(complaint, "advance_dispute", Stage.DISPUTED)
    current = _current(dispute)
    expected = [stage for stage in orders if orders[stage] == orders[current.stage] + 1]
    if to not in expected:
        raise Fault("dispute_stage_skipped", field="stage", stage=to, current=current.stage)
    return Step(
        after=changed(complaint),
        happened="dispute_advanced",
        details={"from": current.stage, "to": to},
        events=(_opened(complaint, to),),
        rows=(
            current.model_copy(update={"ended_at": now, "outcome": outcome}),
            DisputeRow(complaint_id=complaint.complaint_id, stage=to, opened_at=now),
        ),
    )


def add_document(
    complaint: Complaint, now: datetime, dispute: Sequence[DisputeRow], *, title: str, checksum: str, filed_by: str
) -> Step:
    """A document is filed with the stage that runs."""
    require_stage(complaint, "add_dispute_document", Stage.DISPUTED)
    current = _current(dispute)
    document = {"title": title, "checksum": checksum, "filed_by": filed_by, "filed_at": now.isoformat()}
    return Step(
        after=changed(complaint),
        happened="dispute_document_added",
        details={"stage": current.stage, "checksum": checksum},
        rows=(current.model_copy(update={"documents": [*current.documents, document]}),),
    )


def ended(dispute: Sequence[DisputeRow], now: datetime, *, outcome: str) -> DisputeRow:
    """The running stage with its end: something was agreed or decided."""
    return _current(dispute).model_copy(update={"ended_at": now, "outcome": outcome})


def dispute_message(row: DisputeRow) -> complaints_pb2.DisputeStage:
    message = complaints_pb2.DisputeStage(
        stage=row.stage, opened_at=row.opened_at, ended_at=row.ended_at, outcome=row.outcome
    )
    for each in row.documents:
        filed_at = datetime.fromisoformat(each["filed_at"]).astimezone(UTC)
        message.documents.add(
            title=each["title"], checksum=each["checksum"], filed_by=each["filed_by"], filed_at=filed_at
        )
    return message


def _opened(complaint: Complaint, stage: str) -> events_pb2.DisputeStageOpened:
    return events_pb2.DisputeStageOpened(**ids_of(complaint), stage=stage)


def _current(dispute: Sequence[DisputeRow]) -> DisputeRow:
    """The stage that runs. A disputed complaint has exactly one."""
    return next(stage for stage in dispute if stage.ended_at is None)
