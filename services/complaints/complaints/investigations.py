"""Technical investigations: asked of dispatch over the bus, their outcome awaited without blocking (CMP-04). Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from complaints.complaints.complaint import Complaint, Stage
from complaints.complaints.steps import Step, changed, ids_of, noted, require_stage

# How dispatch knows whom to answer.
ASKED_BY = "complaints"


class InvestigationState(StrEnum):
    """The words behind the contract's InvestigationState."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class InvestigationRow(SQLModel, table=True):
    """One investigation and what came of it."""

    __tablename__ = "investigations"

    investigation_id: UUID = Field(primary_key=True)
    complaint_id: UUID = Field(index=True)
    work_order_id: UUID = Field(unique=True)
    state: InvestigationState = Field(sa_type=Text)
    skill: str = Field(sa_type=Text)
    level: str = Field(sa_type=Text)
    findings: str = Field(default="", sa_type=Text)
    asked_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


INVESTIGATIONS = InvestigationRow.metadata.tables["investigations"]


def ask(
    complaint: Complaint, investigation: InvestigationRow, *, earlier: Iterable[InvestigationRow], sealing_key: bytes
) -> Step:
    """Asks dispatch for a work order. One at a time: the next one builds on what the last one found.

    `sealing_key`: what dispatch seals its report with, so that only complaints can open it.
    """
    require_stage(complaint, "request_investigation", Stage.HANDLING)
    require_none_open(earlier)
    wanted = dispatch_events.CreateWorkOrder(
        work_order_id=str(investigation.work_order_id),
        case_id=str(complaint.complaint_id),
        case_number=complaint.complaint_number,
        region=complaint.region,
        skill=investigation.skill,
        level=investigation.level,
        priority=complaint.priority,
        asked_by=ASKED_BY,
        customer_id=str(complaint.customer_id),
        sealing_key=sealing_key,
    )
    event = events_pb2.InvestigationAsked(
        **ids_of(complaint),
        investigation_id=str(investigation.investigation_id),
        work_order_id=str(investigation.work_order_id),
    )
    return Step(
        after=changed(complaint),
        happened="investigation_asked",
        details={"work_order_id": str(investigation.work_order_id), "skill": investigation.skill},
        events=(event,),
        commands=(wanted,),
        rows=(investigation,),
    )


def end(
    complaint: Complaint, investigation: InvestigationRow, now: datetime, *, state: InvestigationState, findings: str
) -> Step:
    """Dispatch has told the outcome. One that comes twice changes nothing."""
    if investigation.state != InvestigationState.ASKED:
        return noted(complaint, "late_report_ignored", work_order_id=str(investigation.work_order_id))
    ended = investigation.model_copy(update={"state": state, "findings": findings, "ended_at": now})
    event = events_pb2.InvestigationEnded(
        **ids_of(complaint),
        investigation_id=str(investigation.investigation_id),
        state=f"INVESTIGATION_STATE_{state.upper()}",
    )
    return Step(
        after=changed(complaint),
        happened="investigation_ended",
        details={"work_order_id": str(investigation.work_order_id), "state": state.value},
        events=(event,),
        rows=(ended,),
    )


def require_none_open(investigations: Iterable[InvestigationRow]) -> None:
    """Raises Fault("investigation_open") while an outcome is awaited."""
    if any(each.state == InvestigationState.ASKED for each in investigations):
        raise Fault("investigation_open")


def call_off(
    complaint: Complaint, investigations: Iterable[InvestigationRow]
) -> tuple[dispatch_events.CancelWorkOrder, ...]:
    """What to tell dispatch when the complaint is withdrawn meanwhile."""
    return tuple(
        dispatch_events.CancelWorkOrder(
            work_order_id=str(each.work_order_id), case_id=str(complaint.complaint_id), reason="complaint_withdrawn"
        )
        for each in investigations
        if each.state == InvestigationState.ASKED
    )


def investigation_message(row: InvestigationRow) -> complaints_pb2.Investigation:
    return complaints_pb2.Investigation(
        investigation_id=str(row.investigation_id),
        work_order_id=str(row.work_order_id),
        state=f"INVESTIGATION_STATE_{row.state.upper()}",
        skill=row.skill,
        level=row.level,
        findings=row.findings,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
    )
