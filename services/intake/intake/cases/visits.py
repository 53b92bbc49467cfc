"""How a case follows its work order, as dispatch reports it (DSP-03).

Pure, like rules.py. Reports may come late, twice, or about a work order that the case no longer waits for: those are
kept in the history and change nothing. A report that shows an earlier one was missed carries the case over both stages.
A case that waits for an incident follows its own visit only to its end (see incidents.py).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bihuan.intake.v1 import events_pb2

from intake.cases import incidents, rules, steps
from intake.cases.case import Case, Stage
from intake.cases.steps import ClockStart, Step, entered, noted

UNDER_WAY = frozenset({Stage.ASSESSED, Stage.ASSIGNED, Stage.HANDLING})


def follows(case: Case, work_order_id: UUID, version: int) -> bool:
    """Whether a report of this work order may still move the case."""
    return case.stage in UNDER_WAY and case.work_order_id == work_order_id and version >= case.work_order_version


def stale(case: Case, report: str, work_order_id: UUID) -> Step:
    """The report comes too late, or is about a work order that is no longer the case's own."""
    return noted(case, "late_report_ignored", report=report, work_order_id=str(work_order_id))


@dataclass(frozen=True)
class Engineer:
    """Who does the visit; user id and name are empty where the report doesn't say."""

    engineer_id: str
    user_id: str = ""
    name: str = ""


def assigned(case: Case, now: datetime, *, engineer: Engineer, version: int) -> Step:
    """An engineer is assigned, or replaces another: the customer's promise runs on, the engineer's own time anew."""
    if case.handler == engineer.engineer_id or case.waits_for_incident:
        return noted(case, "work_order_assigned", handler=engineer.engineer_id)
    after = _handled_by(entered(case, Stage.ASSIGNED, now), engineer)
    after.work_order_version = version
    first = case.stage == Stage.ASSESSED
    return Step(
        after=after,
        happened="case_assigned",
        details={"handler": engineer.engineer_id, "previous_handler": case.handler},
        cancels=() if first else (steps.STAFF_ASSESSMENT,),
        starts=(_begin(case, now), *((_handle(case, now),) if first else ())),
        meets=(steps.ASSESSMENT,),
        events=(
            events_pb2.CaseAssigned(
                case_id=str(case.case_id), handler=engineer.engineer_id, work_order_id=str(case.work_order_id)
            ),
        ),
    )


def accepted(case: Case, now: datetime, *, engineer: Engineer, version: int) -> Step:
    """The engineer takes it on: handling begins."""
    if case.stage == Stage.HANDLING:
        return noted(case, "work_order_accepted", handler=engineer.engineer_id)
    after = _handled_by(entered(case, Stage.HANDLING, now), engineer)
    after.work_order_version = version
    return Step(
        after=after,
        happened="handling_started",
        details={"handler": engineer.engineer_id},
        meets=(steps.ASSESSMENT, steps.STAFF_ASSESSMENT),
        starts=(_handle(case, now),) if case.stage == Stage.ASSESSED else (),
        events=(events_pb2.CaseHandlingStarted(case_id=str(case.case_id), handler=engineer.engineer_id),),
    )


def completed(case: Case, now: datetime, *, engineer: Engineer, result: str, finished_at: datetime) -> Step:
    """The visit is done: its result goes to the customer at once."""
    handled = _handled_by(case.model_copy(), engineer)
    return rules.delivered(handled, now, handled_at=finished_at, result=result, delivered_by=engineer.engineer_id)


def broken_off(case: Case, now: datetime) -> Step:
    """The visit failed or was called off: the case is assessed again, with a higher priority."""
    if case.waits_for_incident:
        return incidents.visit_called_off(case)
    return rules.reopened(case, now, reason="work_order_failed", cancels=steps.WORK_CLOCKS, starts=(steps.ASSESSMENT,))


def _begin(case: Case, now: datetime) -> ClockStart:
    """The engineer has to begin: soon, or when an appointment says."""
    appointed = case.appointed_from is not None and case.appointed_from > now
    return ClockStart(steps.STAFF_ASSESSMENT, due_at=case.appointed_from if appointed else None)


def _handle(case: Case, now: datetime) -> ClockStart:
    """The time for handling begins now, or when an appointment does."""
    appointed = case.appointed_from is not None and case.appointed_from > now
    return ClockStart(steps.HANDLING, at=case.appointed_from if appointed else None)


def _handled_by(case: Case, engineer: Engineer) -> Case:
    if case.handler != engineer.engineer_id:
        case.handler, case.handler_user_id, case.handler_name = engineer.engineer_id, engineer.user_id, engineer.name
    return case
