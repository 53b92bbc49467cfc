"""Complaints as the contract writes them. Pure."""

from collections.abc import Iterable
from typing import Any

from bihuan.common.v1 import common_pb2
from bihuan.complaints.v1 import complaints_pb2

from complaints.complaints.complaint import Complaint, Stage

_STAGE = "COMPLAINT_STAGE_"


def complaint_message(complaint: Complaint, clocks: Iterable[common_pb2.Clock]) -> complaints_pb2.Complaint:
    """Everything but the customer's own words and what belongs to the complaint."""
    return complaints_pb2.Complaint(
        complaint_id=str(complaint.complaint_id),
        complaint_number=complaint.complaint_number,
        version=complaint.version,
        stage=stage_name(complaint.stage),
        case_id=str(complaint.case_id or ""),
        case_number=complaint.case_number,
        customer_id=str(complaint.customer_id),
        channel=complaint.channel,
        region=complaint.region,
        category=complaint.category,
        proposed=proposed_message(complaint),
        complaint_class=complaint.complaint_class,
        severity=complaint.severity,
        classification_confirmed=complaint.classification_confirmed,
        priority=complaint.priority,
        owner=complaint.owner,
        handler=complaint.handler,
        leader=complaint.leader,
        person_concerned=complaint.person_concerned,
        result=complaint.result,
        outcome=f"COMPLAINT_OUTCOME_{complaint.outcome.upper()}",
        satisfaction=complaint.satisfaction,
        reopened_times=complaint.reopened_times,
        repeat_of=str(complaint.repeat_of or ""),
        clocks=clocks,
        accepted_at=complaint.accepted_at,
        closed_at=complaint.closed_at,
        summary=complaint.summary,
        record_id=str(complaint.record_id or ""),
    )


def proposed_message(complaint: Complaint) -> complaints_pb2.ProposedClass:
    return complaints_pb2.ProposedClass(
        complaint_class=complaint.proposed_class,
        severity=complaint.proposed_severity,
        confidence=complaint.proposed_confidence,
        evidence=complaint.proposed_evidence,
    )


def history_message(row: Any) -> complaints_pb2.ComplaintHistoryEntry:
    """A row of `complaint_history`."""
    return complaints_pb2.ComplaintHistoryEntry(
        at=row.at,
        happened=row.happened,
        actor=row.actor,
        stage=stage_name(Stage(row.stage)),
        details=row.details,
        version=row.version,
    )


def stage_name(stage: Stage) -> str:
    """The contract's name of a stage."""
    return _STAGE + stage.upper()


def stage_of(value: complaints_pb2.ComplaintStage) -> Stage | None:
    """The stage of a contract's value; None for COMPLAINT_STAGE_UNSPECIFIED."""
    if value == complaints_pb2.COMPLAINT_STAGE_UNSPECIFIED:
        return None
    return Stage(complaints_pb2.ComplaintStage.Name(value).removeprefix(_STAGE).lower())
