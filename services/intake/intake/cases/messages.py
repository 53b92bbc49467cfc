"""Cases as the contract writes them. Pure."""

from collections.abc import Iterable
from typing import Any

from bihuan.common.v1 import common_pb2
from bihuan.intake.v1 import cases_pb2

from intake.cases.case import Case, Stage
from intake.cases.reports import proposed


def case_message(case: Case, clocks: Iterable[common_pb2.Clock]) -> cases_pb2.Case:
    """Everything but the customer's own words."""
    return cases_pb2.Case(
        case_id=str(case.case_id),
        case_number=case.case_number,
        version=case.version,
        stage=stage_name(case.stage),
        customer_id=str(case.customer_id),
        channel=case.channel,
        identity_check=f"IDENTITY_CHECK_{case.identity_check.upper()}",
        region=case.region,
        proposed=proposed(case),
        classification=cases_pb2.Classification(kind=case.kind, category=case.category, urgency=case.urgency),
        classification_confirmed=case.classification_confirmed,
        priority=case.priority,
        owner=case.owner,
        handler=case.handler,
        work_order_id=str(case.work_order_id or ""),
        result=case.result,
        confirmation=f"CONFIRMATION_{case.confirmation.upper()}",
        outcome=f"CASE_OUTCOME_{case.outcome.upper()}",
        satisfaction=case.satisfaction,
        reopened_times=case.reopened_times,
        repeat_of=str(case.repeat_of or ""),
        clocks=clocks,
        accepted_at=case.accepted_at,
        closed_at=case.closed_at,
        record_id=str(case.record_id or ""),
        waiting_for_customer=case.waiting_for_customer,
        complaint_id=str(case.complaint_id or ""),
        appointed_for=None if case.appointed is None else case.appointed.message(),
        incident_id=str(case.incident_id or ""),
    )


def history_message(row: Any) -> cases_pb2.HistoryEntry:
    """A row of `case_history`."""
    return cases_pb2.HistoryEntry(
        at=row.at,
        happened=row.happened,
        actor=row.actor,
        stage=stage_name(Stage(row.stage)),
        details=row.details,
        version=row.version,
    )


def stage_name(stage: Stage) -> str:
    """The contract's name of a stage."""
    return f"CASE_STAGE_{stage.upper()}"


def stage_of(value: int) -> Stage:
    """The stage of a contract's value other than CASE_STAGE_UNSPECIFIED."""
    return Stage(cases_pb2.CaseStage.Name(value).removeprefix("CASE_STAGE_").lower())
