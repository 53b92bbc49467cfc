"""Reading cases, and storing what the rules decided with all that belongs to it, in one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork, current_traceparent
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.ids import uuid7
from sqlalchemy import ColumnElement, bindparam, select, update

from intake.cases.case import Case
from intake.cases.duplicates import Earlier, Windows
from intake.cases.lifecycle import write_spans
from intake.cases.steps import ClockStart, Step
from intake.cases.tables import CASES, HISTORY
from servicekit import deadlines

_UPDATE = update(CASES).where(CASES.c.case_id == bindparam("id"), CASES.c.version == bindparam("version_before"))
# LATERAL with a limit makes PostgreSQL go by the index for each customer, whatever it thinks of the table's size. The
# limit is far beyond what a customer reports in the windows. Locked, so that none is closed while a report joins it.
_RECENT = """
SELECT recent.*
FROM unnest($1::uuid[]) AS customers (customer_id) CROSS JOIN LATERAL (
    SELECT customer_id, case_id, region, kind, category, stage, accepted_at, closed_at FROM cases
    WHERE cases.customer_id = customers.customer_id
      AND (closed_at IS NULL AND accepted_at >= $2 OR closed_at >= $3)
    ORDER BY case_id DESC LIMIT 100 FOR NO KEY UPDATE
) AS recent
"""
_TAKE_FREE = """
WITH taken AS (SELECT case_id FROM cases WHERE case_id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED)
SELECT case_id FROM cases WHERE case_id = ANY($1::uuid[]) AND case_id NOT IN (SELECT case_id FROM taken)
"""


def names(reference: str) -> ColumnElement[bool]:
    """The condition for a case's id or number. Raises Fault("case_number_invalid") for neither of them."""
    try:
        return CASES.c.case_id == UUID(reference)
    except ValueError:
        return CASES.c.case_number == parse(reference, field="case")


async def find(tx: UnitOfWork, reference: str) -> Case:
    """The case of an id or number. Raises Fault("case_unknown")."""
    return await _one(tx, reference, lock=False)


async def lock(tx: UnitOfWork, reference: str) -> Case:
    """The same, for this transaction alone: whoever else wants to change the case waits."""
    return await _one(tx, reference, lock=True)


async def lock_many(tx: UnitOfWork, case_ids: Iterable[UUID]) -> dict[UUID, Case]:
    """Several cases at once, locked in one order so that two transactions can't wait for each other in a circle."""
    statement = select(CASES).where(CASES.c.case_id.in_(set(case_ids))).order_by(CASES.c.case_id).with_for_update()
    return {row.case_id: case_of(row) for row in await tx.execute(statement)}


async def take_free(tx: UnitOfWork, case_ids: Collection[str]) -> set[str]:
    """Locks those that nobody is changing, without waiting, and gives the others."""
    return {str(row["case_id"]) for row in await tx.fetch(_TAKE_FREE, list(case_ids))}


async def find_many(tx: UnitOfWork, case_ids: Collection[UUID]) -> dict[UUID, Case]:
    """Several cases as they are now; ids without a case are left out."""
    if not case_ids:
        return {}
    rows = await tx.execute(select(CASES).where(CASES.c.case_id.in_(case_ids)))
    return {row.case_id: case_of(row) for row in rows}


async def recent_of(
    tx: UnitOfWork, customer_ids: Collection[UUID], windows: Windows
) -> defaultdict[UUID, list[Earlier]]:
    """The customers' cases that a new report may join or repeat, locked as they are now (INT-14)."""
    open_since, closed_since = tx.now - windows.join_open, tx.now - windows.link_closed
    found: defaultdict[UUID, list[Earlier]] = defaultdict(list)
    for row in await tx.fetch(_RECENT, list(customer_ids), open_since, closed_since):
        found[row["customer_id"]].append(Earlier(*tuple(row)[1:]))
    return found


def case_of(row: Any) -> Case:
    """A row of `cases` as a value."""
    return Case.model_validate(row._asdict())


async def add(tx: UnitOfWork, opened: Sequence[tuple[Step, str, str]]) -> dict[str, list[Clock]]:
    """Stores new cases, many in one go: each with the step that opened it, who did it, and the trace it came with.

    Gives the clocks that run for each, by its id.
    """
    rows = [step.after.model_dump() | {"stage_entered_by": trace} for step, _, trace in opened]
    await tx.insert(CASES, *rows)
    await _write_history(tx, [(step, actor) for step, actor, _ in opened])
    starts = [_start(step.after, start, trace) for step, _, trace in opened for start in step.starts]
    for step, _, trace in opened:
        _announce(tx, step, trace)
    return await deadlines.start(tx, starts)


async def save(tx: UnitOfWork, before: Case, *steps: Step, actor: str, traceparent: str = "") -> Case:
    """Stores the next versions of a locked case, step by step, and returns the case as it stands then.

    `traceparent` of the request that asks for it defaults to the current span's. Spans of the stages that end are
    written after the commit.
    """
    trace = traceparent or current_traceparent()
    after = steps[-1].after
    if after.stage_entered_at != before.stage_entered_at or after.stage != before.stage:
        after.stage_entered_by = trace
    changes = {name: value for name, value in after.model_dump().items() if value != getattr(before, name)}
    if changes:
        where = {"id": before.case_id, "version_before": before.version}
        if (await tx.execute(_UPDATE.values(changes), where)).rowcount != 1:
            raise Fault("stale_version")
    await _write_history(tx, [(step, actor) for step in steps])
    case = before
    for step in steps:
        await _turn_clocks(tx, case, step, trace)
        _announce(tx, step, trace)
        if step.after.stage != case.stage:
            clocks = await deadlines.of(tx, [str(case.case_id)])
            tx.after_commit(partial(write_spans, case, step.after, clocks[str(case.case_id)], trace))
        case = step.after
    return after


async def _one(tx: UnitOfWork, reference: str, *, lock: bool) -> Case:
    statement = select(CASES).where(names(reference))
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        raise Fault("case_unknown", case=reference)
    return case_of(row)


async def _write_history(tx: UnitOfWork, steps: Sequence[tuple[Step, str]]) -> None:
    entries = [
        {
            "at": tx.now,
            "entry_id": uuid7(),
            "case_id": step.after.case_id,
            "happened": step.happened,
            "actor": actor,
            "stage": step.after.stage.value,
            "details": dict(step.details),
            "version": step.after.version,
        }
        for step, actor in steps
    ]
    await tx.insert(HISTORY, *entries)


async def _turn_clocks(tx: UnitOfWork, before: Case, step: Step, trace: str) -> None:
    subject = [str(before.case_id)]
    if before.waiting_for_customer and not step.after.waiting_for_customer:
        await deadlines.resume(tx, subject)
    if step.cancels_all:
        await deadlines.cancel(tx, subject)
    elif step.cancels:
        await deadlines.cancel(tx, subject, step.cancels)
    for at in dict.fromkeys(start.at for start in step.starts):
        await deadlines.start(tx, [_start(step.after, start, trace) for start in step.starts if start.at == at], at=at)
    if step.meets:
        await deadlines.meet(tx, subject, step.meets)
    if step.after.responsible != before.responsible:
        await deadlines.reassign(tx, str(before.case_id), step.after.responsible)
    if step.after.waiting_for_customer and not before.waiting_for_customer:
        await deadlines.pause(tx, subject)


def _start(case: Case, start: ClockStart, trace: str) -> Start:
    case_id = str(case.case_id)
    return Start(
        clock=start.clock,
        subject_id=case_id,
        case_id=case_id,
        responsible=case.responsible,
        traceparent=trace,
        due_at=start.due_at,
    )


def _announce(tx: UnitOfWork, step: Step, trace: str) -> None:
    case_id = str(step.after.case_id)
    for event in step.events:
        tx.emit(event, version=step.after.version, case_id=case_id, traceparent=trace)
    for command in step.commands:
        tx.command(command, case_id=case_id, traceparent=trace)
