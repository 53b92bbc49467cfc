"""Opening improvements for quality, and taking them round the PDCA circle (QLT-05)."""

from datetime import UTC
from typing import Any
from uuid import UUID

from bihuan.complaints.v1 import commands_pb2, events_pb2, improvements_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from complaints import improvements
from complaints.improvements import ImprovementState
from complaints.indicator_improvements.queries import find_improvement
from complaints.indicator_improvements.tables import INDICATOR_IMPROVEMENTS, IndicatorImprovementRow
from standards import Standards

PLANNING = "improvement_planning"


async def open_improvement(tx: UnitOfWork, standards: Standards, command: commands_pb2.OpenImprovement) -> None:
    """What is to be improved stands there; how is planned by whoever answers for it, within the standards' time."""
    found = IndicatorImprovementRow(
        improvement_id=UUID(command.improvement_id),
        alert_id=UUID(command.alert_id),
        state=ImprovementState.FOUND,
        action="",
        owner=command.owner,
        found_at=tx.now,
        planned_at=tx.now,
        due_at=tx.now + standards.windows[PLANNING].length,
        indicator=command.indicator,
        baseline=command.baseline,
        goal=command.goal,
        region=command.region,
    )
    statement = insert(INDICATOR_IMPROVEMENTS).values(found.model_dump()).on_conflict_do_nothing()
    if (await tx.execute(statement)).rowcount:
        _announce(tx, found)


async def plan_improvement(
    tx: UnitOfWork, standards: Standards, principal: Principal, request: improvements_pb2.PlanFoundImprovementRequest
) -> IndicatorImprovementRow:
    """Plan: action, owner and date. Raises Fault("improvement_plan_invalid")."""
    found = await _take_in_hand(tx, principal, request.improvement, request.expected_version)
    improvements.require_state(found, "plan_improvement", ImprovementState.FOUND)
    plan = {"action": request.action, "owner": request.owner, "due_at": request.due_at.ToDatetime(UTC)}
    planned = found.model_copy(update={"state": ImprovementState.PLANNED, "planned_at": tx.now, **plan})
    improvements.require_plan(planned, tx.now, improvements.direction_of(standards, planned.indicator))
    return await _put_back(tx, planned)


async def report_improvement(
    tx: UnitOfWork, _standards: Standards, principal: Principal, request: improvements_pb2.ReportFoundImprovementRequest
) -> IndicatorImprovementRow:
    known = await _take_in_hand(tx, principal, request.improvement, request.expected_version)
    return await _put_back(tx, improvements.reported(known, done=request.done))


async def verify_improvement(
    tx: UnitOfWork, standards: Standards, principal: Principal, request: improvements_pb2.VerifyFoundImprovementRequest
) -> IndicatorImprovementRow:
    """Check, by what the indicator has become; short of the goal it goes back to its plan."""
    known = await _take_in_hand(tx, principal, request.improvement, request.expected_version)
    direction = improvements.direction_of(standards, known.indicator)
    return await _put_back(tx, improvements.verified(known, measured=request.measured, direction=direction))


async def standardise_improvement(
    tx: UnitOfWork,
    _standards: Standards,
    principal: Principal,
    request: improvements_pb2.StandardiseFoundImprovementRequest,
) -> IndicatorImprovementRow:
    known = await _take_in_hand(tx, principal, request.improvement, request.expected_version)
    act: dict[str, Any] = {"standardised_as": request.standardised_as, "note": request.note}
    return await _put_back(tx, improvements.standardised(known, **act))


async def _take_in_hand(
    tx: UnitOfWork, principal: Principal, improvement_id: str, expected_version: int
) -> IndicatorImprovementRow:
    """Raises Fault improvement_unknown, domain_forbidden or stale_version."""
    known = await find_improvement(tx, improvement_id, principal, lock=True)
    if expected_version not in {0, known.version}:
        raise Fault("stale_version", version=known.version)
    return known


async def _put_back(tx: UnitOfWork, improvement: IndicatorImprovementRow) -> IndicatorImprovementRow:
    after = improvement.model_copy(update={"version": improvement.version + 1})
    same = INDICATOR_IMPROVEMENTS.c.improvement_id == after.improvement_id
    await tx.execute(update(INDICATOR_IMPROVEMENTS).where(same).values(after.model_dump()))
    _announce(tx, after)
    return after


def _announce(tx: UnitOfWork, improvement: IndicatorImprovementRow) -> None:
    event = events_pb2.IndicatorImprovementChanged(
        improvement_id=str(improvement.improvement_id),
        alert_id=str(improvement.alert_id),
        indicator=improvement.indicator,
        region=improvement.region,
        state=improvements.state_name(improvement),
        owner=improvement.owner,
    )
    tx.emit(event, version=improvement.version)
