"""Improvements: plan, do, check by the indicator that should move, act (PDCA, CMP-08). Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from standards.models import Target

from complaints.complaints.complaint import LEARNING, UTC_TIME, Complaint
from complaints.complaints.steps import Step, changed, ids_of, require_stage


class ImprovementState(StrEnum):
    """The words behind the contract's ImprovementState."""

    PLANNED = "planned"
    DONE = "done"
    VERIFIED = "verified"
    STANDARDISED = "standardised"


class ImprovementRow(SQLModel, table=True):
    """One improvement on its way round the PDCA circle."""

    __tablename__ = "improvements"

    improvement_id: UUID = Field(primary_key=True)
    complaint_id: UUID = Field(index=True)
    state: ImprovementState = Field(default=ImprovementState.PLANNED, sa_type=Text)
    action: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    planned_at: datetime = Field(sa_type=UTC_TIME)
    due_at: datetime = Field(sa_type=UTC_TIME)
    # Name of standards/targets.yaml.
    indicator: str = Field(sa_type=Text)
    baseline: float
    goal: float
    measured: float | None = None
    done: str = Field(default="", sa_type=Text)
    standardised_as: str = Field(default="", sa_type=Text)
    standardised_note: str = Field(default="", sa_type=Text)


IMPROVEMENTS = ImprovementRow.metadata.tables["improvements"]


def plan(complaint: Complaint, improvement: ImprovementRow, now: datetime, *, indicator: Target) -> Step:
    """Plan. Raises Fault("improvement_plan_invalid") for a date that has passed, or a goal that is no improvement."""
    if improvement.due_at <= now:
        raise Fault("improvement_plan_invalid", field="due_at")
    if improvement.goal == improvement.baseline or not _reaches(improvement.goal, improvement.baseline, indicator):
        raise Fault("improvement_plan_invalid", field="goal")
    return _step(complaint, improvement, "improvement_planned")


def report(complaint: Complaint, improvement: ImprovementRow, *, done: str) -> Step:
    """Do: what was planned is done."""
    _require(improvement, "report_improvement", ImprovementState.PLANNED)
    return _step(complaint, improvement, "improvement_done", state=ImprovementState.DONE, done=done)


def verify(complaint: Complaint, improvement: ImprovementRow, *, measured: float, indicator: Target) -> Step:
    """Check: has the indicator moved as planned? Short of the goal it goes back to its plan."""
    _require(improvement, "verify_improvement", ImprovementState.DONE)
    if _reaches(measured, improvement.goal, indicator):
        return _step(complaint, improvement, "improvement_verified", state=ImprovementState.VERIFIED, measured=measured)
    return _step(
        complaint, improvement, "improvement_without_effect", state=ImprovementState.PLANNED, measured=measured
    )


def standardise(complaint: Complaint, improvement: ImprovementRow, *, standardised_as: str, note: str) -> Step:
    """Act: what has proved itself becomes the rule."""
    _require(improvement, "standardise_improvement", ImprovementState.VERIFIED)
    return _step(
        complaint,
        improvement,
        "improvement_standardised",
        state=ImprovementState.STANDARDISED,
        standardised_as=standardised_as,
        standardised_note=note,
    )


def improvement_message(row: ImprovementRow) -> complaints_pb2.Improvement:
    return complaints_pb2.Improvement(
        improvement_id=str(row.improvement_id),
        state=f"IMPROVEMENT_STATE_{row.state.upper()}",
        action=row.action,
        owner=row.owner,
        due_at=row.due_at,
        indicator=row.indicator,
        baseline=row.baseline,
        goal=row.goal,
        measured=row.measured or 0,
        done=row.done,
        standardised_as=row.standardised_as,
        standardised_note=row.standardised_note,
    )


def _reaches(value: float, goal: float, indicator: Target) -> bool:
    return value >= goal if indicator.direction == "at_least" else value <= goal


def _require(improvement: ImprovementRow, action: str, state: ImprovementState) -> None:
    if improvement.state != state:
        raise Fault("transition_forbidden", action=action, state=improvement.state.value)


def _step(complaint: Complaint, improvement: ImprovementRow, happened: str, **changes: Any) -> Step:
    require_stage(complaint, happened, *LEARNING)
    after = improvement.model_copy(update=changes)
    event = events_pb2.ImprovementChanged(
        **ids_of(complaint),
        improvement_id=str(after.improvement_id),
        state=f"IMPROVEMENT_STATE_{after.state.upper()}",
        owner=after.owner,
    )
    return Step(
        after=changed(complaint),
        happened=happened,
        details={"improvement_id": str(after.improvement_id), "indicator": after.indicator},
        events=(event,),
        rows=(after,),
    )
