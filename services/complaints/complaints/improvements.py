"""Improvements: plan, do, check by the indicator that should move, act (PDCA, CMP-08, QLT-05). Pure."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from standards.indicators import Direction

from complaints.complaints.complaint import LEARNING, Complaint
from complaints.complaints.steps import Step, changed, ids_of, require_stage
from standards import Standards


class ImprovementState(StrEnum):
    """The words behind the contract's ImprovementState."""

    # By an alert of quality; a complaint's are planned at once.
    FOUND = "found"
    PLANNED = "planned"
    DONE = "done"
    VERIFIED = "verified"
    STANDARDISED = "standardised"


class Improvement(SQLModel):
    """What all improvements have in common, whatever gave rise to them."""

    improvement_id: UUID = Field(primary_key=True)
    state: ImprovementState = Field(default=ImprovementState.PLANNED, sa_type=Text)
    action: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    planned_at: datetime = Field(sa_type=UTC_TIME)
    due_at: datetime = Field(sa_type=UTC_TIME)
    # Name of standards/indicators.yaml or standards/targets.yaml.
    indicator: str = Field(sa_type=Text)
    baseline: float
    goal: float
    measured: float | None = None
    done: str = Field(default="", sa_type=Text)
    standardised_as: str = Field(default="", sa_type=Text)
    standardised_note: str = Field(default="", sa_type=Text)


class ImprovementRow(Improvement, table=True):
    """An improvement after a complaint."""

    __tablename__ = "improvements"

    complaint_id: UUID = Field(index=True)


IMPROVEMENTS = ImprovementRow.metadata.tables["improvements"]

ImprovementT = TypeVar("ImprovementT", bound=Improvement)


def direction_of(standards: Standards, indicator: str) -> Direction:
    """Which way an indicator should move. Raises Fault("indicator_unknown")."""
    known = standards.indicators.get(indicator) or standards.targets.get(indicator)
    if known is None or known.direction is None:
        raise Fault("indicator_unknown", field="indicator", indicator=indicator)
    return known.direction


def require_plan(improvement: Improvement, now: datetime, direction: Direction) -> None:
    """Raises Fault("improvement_plan_invalid") for a date that has passed, or a goal that is no improvement."""
    if improvement.due_at <= now:
        raise Fault("improvement_plan_invalid", field="due_at")
    if improvement.goal == improvement.baseline or not _reaches(improvement.goal, improvement.baseline, direction):
        raise Fault("improvement_plan_invalid", field="goal")


def reported(improvement: ImprovementT, *, done: str) -> ImprovementT:
    """Do: what was planned is done."""
    require_state(improvement, "report_improvement", ImprovementState.PLANNED)
    return improvement.model_copy(update={"state": ImprovementState.DONE, "done": done})


def verified(improvement: ImprovementT, *, measured: float, direction: Direction) -> ImprovementT:
    """Check: has the indicator moved as planned? Short of the goal it goes back to its plan."""
    require_state(improvement, "verify_improvement", ImprovementState.DONE)
    moved = _reaches(measured, improvement.goal, direction)
    state = ImprovementState.VERIFIED if moved else ImprovementState.PLANNED
    return improvement.model_copy(update={"state": state, "measured": measured})


def standardised(improvement: ImprovementT, *, standardised_as: str, note: str) -> ImprovementT:
    """Act: what has proved itself becomes the rule."""
    require_state(improvement, "standardise_improvement", ImprovementState.VERIFIED)
    act = {"standardised_as": standardised_as, "standardised_note": note}
    return improvement.model_copy(update={"state": ImprovementState.STANDARDISED, **act})


def require_state(improvement: Improvement, action: str, state: ImprovementState) -> None:
    """Raises Fault("transition_forbidden")."""
    if improvement.state != state:
        raise Fault("transition_forbidden", action=action, state=str(improvement.state))


def step_of(complaint: Complaint, improvement: ImprovementRow, happened: str) -> Step:
    """Stores an improvement of a complaint, new or changed."""
    require_stage(complaint, happened, *LEARNING)
    event = events_pb2.ImprovementChanged(
        **ids_of(complaint),
        improvement_id=str(improvement.improvement_id),
        state=state_name(improvement),
        owner=improvement.owner,
    )
    return Step(
        after=changed(complaint),
        happened=happened,
        details={"improvement_id": str(improvement.improvement_id), "indicator": improvement.indicator},
        events=(event,),
        rows=(improvement,),
    )


def improvement_message(improvement: Improvement) -> complaints_pb2.Improvement:
    return complaints_pb2.Improvement(
        improvement_id=str(improvement.improvement_id),
        state=state_name(improvement),
        action=improvement.action,
        owner=improvement.owner,
        due_at=improvement.due_at,
        indicator=improvement.indicator,
        baseline=improvement.baseline,
        goal=improvement.goal,
        measured=improvement.measured or 0,
        done=improvement.done,
        standardised_as=improvement.standardised_as,
        standardised_note=improvement.standardised_note,
    )


def state_name(improvement: Improvement) -> str:
    """As in the contract."""
    return f"IMPROVEMENT_STATE_{improvement.state.upper()}"


def _reaches(value: float, goal: float, direction: Direction) -> bool:
    return value >= goal if direction == "at_least" else value <= goal
