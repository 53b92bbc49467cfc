"""Reading cases: one, a page of them, their history, their progress (INT-10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.intake.v1 import cases_pb2
from servicekit.customerkeys import CustomerKey, readable, readable_text
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, or_, select

from intake.cases import store
from intake.cases.access import may_read_description, require_visible
from intake.cases.case import Case, Stage
from intake.cases.messages import case_message, history_message
from intake.cases.tables import CASES, HISTORY
from intake.customers.store import find_keys
from intake.desk import Desk
from servicekit import deadlines


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; empty and None mean everything."""

    stage: Stage | None = None
    customer_id: UUID | None = None
    region: str = ""
    responsible: str = ""
    kind: str = ""
    incident_id: UUID | None = None


async def find_visible(tx: UnitOfWork, principal: Principal, reference: str) -> Case:
    """Raises Fault("case_unknown") or Fault("domain_forbidden") when there is no such case for this principal."""
    case = await store.find(tx, reference)
    require_visible(case, principal, reference)
    return case


async def show(tx: UnitOfWork, desk: Desk, principal: Principal, cases: Sequence[Case]) -> list[cases_pb2.Case]:
    """The cases with their clocks and what the principal may read of what was written about them."""
    clocks = await deadlines.of(tx, [str(case.case_id) for case in cases])
    keys = await find_keys(tx, {case.customer_id for case in cases})
    shown = []
    for case in cases:
        message = case_message(case, clocks[str(case.case_id)])
        add_words(message, desk, principal, case, keys[case.customer_id])
        shown.append(message)
    return shown


def add_words(message: cases_pb2.Case, desk: Desk, principal: Principal, case: Case, key: CustomerKey) -> None:
    """Opens result, subject and description; after the customer's key was destroyed the result is a gap that says so,
    and the other two stay empty."""
    message.result = readable_text(desk.sealer, key, case.result)
    message.subject = readable(desk.sealer, key, case.sealed_subject)
    if may_read_description(principal):
        message.description = readable(desk.sealer, key, case.sealed_description)


async def list_cases(
    tx: UnitOfWork, principal: Principal, filters: Filters, *, before: UUID | None, limit: int
) -> list[Case]:
    """The cases that the principal may see, newest first, from the first one `before` a case on."""
    statement = select(CASES).where(*_conditions(principal, filters)).order_by(CASES.c.case_id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(CASES.c.case_id < before)
    return [store.case_of(row) for row in await tx.execute(statement)]


async def history_of(tx: UnitOfWork, case: Case) -> list[cases_pb2.HistoryEntry]:
    """Everything that happened to a case, oldest first."""
    statement = (
        select(HISTORY)
        # Partitions of the months before the case existed need not be looked into.
        .where(HISTORY.c.case_id == case.case_id, HISTORY.c.at >= case.accepted_at)
        .order_by(HISTORY.c.version, HISTORY.c.entry_id)
    )
    return [history_message(row) for row in await tx.execute(statement)]


def _conditions(principal: Principal, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if principal.is_customer:
        conditions.append(CASES.c.customer_id == (UUID(principal.customer_id) if principal.customer_id else None))
    else:
        conditions.append(lies_in(CASES.c.region, principal.domain))
    if filters.stage is not None:
        conditions.append(CASES.c.stage == filters.stage.value)
    if filters.customer_id is not None:
        conditions.append(CASES.c.customer_id == filters.customer_id)
    if filters.region:
        conditions.append(lies_in(CASES.c.region, filters.region))
    if filters.responsible:
        conditions.append(or_(CASES.c.owner == filters.responsible, CASES.c.handler == filters.responsible))
    if filters.kind:
        conditions.append(CASES.c.kind == filters.kind)
    if filters.incident_id is not None:
        conditions.append(CASES.c.incident_id == filters.incident_id)
    return conditions
