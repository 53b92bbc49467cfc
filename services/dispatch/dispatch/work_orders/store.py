"""Reading a work order for a change, and storing a step with all that belongs to it, in one transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from sqlalchemy import ColumnElement, Select, bindparam, insert, select, update

from dispatch.engineers.store import release
from dispatch.slots.following import follow_work_order
from dispatch.work_orders.rules import Step
from dispatch.work_orders.tables import HISTORY, WORK_ORDERS
from dispatch.work_orders.work_order import NOT_STARTED, OPEN, WorkOrder
from servicekit import deadlines

_INSERT = insert(WORK_ORDERS)
_UPDATE = update(WORK_ORDERS).where(
    WORK_ORDERS.c.work_order_id == bindparam("id"), WORK_ORDERS.c.version == bindparam("version_before")
)
_INSERT_HISTORY = insert(HISTORY)


def names(reference: str) -> ColumnElement[bool]:
    """The condition for a work order's id or number. Raises Fault("case_number_invalid") for neither of them."""
    columns = WORK_ORDERS.c
    try:
        is_named: ColumnElement[bool] = columns.work_order_id == UUID(reference)
    except ValueError:
        is_named = columns.work_order_number == parse(reference, field="work_order")
    return is_named


async def find(tx: UnitOfWork, reference: str) -> WorkOrder:
    """The work order of an id or number. Raises Fault("work_order_unknown")."""
    return await _one(tx, select(WORK_ORDERS).where(names(reference)))


async def lock(tx: UnitOfWork, reference: str) -> WorkOrder:
    """The same, for this transaction alone: whoever else wants to change it waits."""
    return await _one(tx, select(WORK_ORDERS).where(names(reference)).with_for_update())


async def lock_not_started_of(tx: UnitOfWork, engineer_id: UUID, skill: str | None = None) -> Sequence[WorkOrder]:
    """What an engineer has and has not set out for, most urgent first; only work of `skill` when that is given."""
    statement = (
        select(WORK_ORDERS)
        .where(WORK_ORDERS.c.engineer_id == engineer_id, WORK_ORDERS.c.state.in_(NOT_STARTED))
        .order_by(WORK_ORDERS.c.priority, WORK_ORDERS.c.created_at)
        .with_for_update()
    )
    if skill is not None:
        statement = statement.where(WORK_ORDERS.c.skill == skill)
    return [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)]


async def add(tx: UnitOfWork, step: Step, *, actor: str) -> WorkOrder:
    """Stores the first version of a work order."""
    await tx.execute(_INSERT, step.after.model_dump())
    await _follow_up(tx, step, actor)
    return step.after


async def save(tx: UnitOfWork, before: WorkOrder, step: Step, *, actor: str) -> WorkOrder:
    """Stores the next version, and gives back the load of whoever no longer has it, and the slot of what has ended.

    Raises Fault("stale_version") when it was changed since `before` was read.
    """
    changed = {name: value for name, value in step.after.model_dump().items() if value != getattr(before, name)}
    where: dict[str, Any] = {"id": before.work_order_id, "version_before": before.version}
    if (await tx.execute(_UPDATE.values(changed), where)).rowcount != 1:
        raise Fault("stale_version")
    if before.held_by is not None and before.held_by != step.after.held_by:
        await release(tx, before.held_by)
    await _follow_up(tx, step, actor)
    if step.after.window is not None and step.after.state not in OPEN:
        await follow_work_order(tx, step.after)
    return step.after


async def _one(tx: UnitOfWork, statement: Select[Any]) -> WorkOrder:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("work_order_unknown")
    return WorkOrder.model_validate(row._asdict())


async def _follow_up(tx: UnitOfWork, step: Step, actor: str) -> None:
    order = step.after
    entry = {
        "work_order_id": order.work_order_id,
        "version": order.version,
        "at": tx.now,
        "happened": step.happened,
        "actor": actor,
        "state": order.state,
        "details": dict(step.details),
    }
    await tx.execute(_INSERT_HISTORY, entry)
    subject, case_id = str(order.work_order_id), str(order.case_id)
    if step.cancels:
        await deadlines.cancel(tx, [subject], step.cancels)
    if step.meets:
        await deadlines.meet(tx, [subject], step.meets)
    responsible = str(order.engineer_id or "")
    starts = [
        Start(clock, subject, case_id=case_id, responsible=responsible, due_at=step.due_at) for clock in step.starts
    ]
    await deadlines.start(tx, starts)
    if step.event is not None:
        tx.emit(step.event, version=order.version, case_id=case_id)
