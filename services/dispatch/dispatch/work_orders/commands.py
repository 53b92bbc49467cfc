"""What people do with a work order: each function is one use case in one transaction (DSP-03, DSP-04)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bihuan.dispatch.v1 import work_orders_pb2
from servicekit.customertexts import change_texts
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer

from dispatch.access import require_may_act
from dispatch.engineers import store as engineers
from dispatch.engineers.queries import is_at_work, qualifications_of, user_of
from dispatch.slots.keeping import pin
from dispatch.words import Change, Pen, pen_for
from dispatch.work_orders import rules, store
from dispatch.work_orders.assignment import Candidate, Need, Obstacle, obstacle
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.rules import Step
from dispatch.work_orders.work_order import NOT_STARTED, WorkOrder

OVERRIDE = "dispatcher_override"
QUALIFICATION_EXPIRED = "qualification_expired"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to change which work order, as they know it."""

    principal: Principal
    # Id or number.
    work_order: str
    # The version that they have seen; 0 sets no condition.
    expected_version: int = 0


async def assign_work_order(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, *, sealer: Sealer, engineer_id: UUID, reason: str
) -> WorkOrder:
    """A dispatcher's own choice. It overrules the machine's choice and the usual capacity, nothing else (DSP-04).

    Raises Fault engineer_not_qualified, engineer_off_shift or engineer_outside_territory, and engineer_booked for one
    who has another visit at the appointed time.
    """
    await hold_waiting_line(tx)
    order = await store.lock(tx, attempt.work_order)
    attempt.principal.require_region(order.region)
    _require_version(order, attempt.expected_version)
    engineer = await engineers.lock(tx, engineer_id)
    actor = attempt.principal.actor
    note = (await pen_for(tx, sealer, order)).kept(reason)
    step = rules.assign(order, tx.now, engineer=engineer, reasons=[OVERRIDE], assigned_by=actor, note=note)
    need = Need(order.region, order.skill, order.level)
    qualification = (await qualifications_of(tx, [engineer_id]))[engineer_id].get(order.skill)
    if order.window is None:
        _require_suitable(need, obstacle(need, Candidate(engineer, qualification), placement.policy, tx.now))
    else:
        # What counts is the appointed time: whether they are at work then, and still qualified at its end.
        then = engineer.model_copy(update={"on_shift": await is_at_work(tx, engineer_id, order.window)})
        _require_suitable(need, obstacle(need, Candidate(then, qualification), placement.policy, order.window.end))
        await pin(tx, order, engineer)
    if order.held_by != engineer_id:
        await engineers.take(tx, engineer)
    after = await store.save(tx, order, step, actor=actor)
    if order.held_by is not None:
        await placement.take_up(tx, order.held_by)
    return after


async def reject_work_order(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, *, sealer: Sealer, reason: str
) -> WorkOrder:
    """Gives it back; it goes to the next best engineer, never to the same one while others can do it."""
    await hold_waiting_line(tx)
    order = await _lock_own(tx, attempt)
    step = rules.reject(order, reason=(await pen_for(tx, sealer, order)).kept(reason))
    return await placement.pass_on(tx, order, step, actor=attempt.principal.actor)


async def accept_work_order(tx: UnitOfWork, attempt: Attempt, placement: Placement) -> WorkOrder | Fault:
    """The assigned engineer takes it on. For the Fault that may be returned, see `_go_on`."""
    return await _go_on(tx, attempt, placement, lambda order: rules.accept(order, tx.now))


async def start_travel(tx: UnitOfWork, attempt: Attempt, placement: Placement) -> WorkOrder | Fault:
    """The engineer sets out. For the Fault that may be returned, see `_go_on`."""
    return await _go_on(tx, attempt, placement, rules.start_travel)


async def arrive_on_site(tx: UnitOfWork, attempt: Attempt, placement: Placement) -> WorkOrder | Fault:
    """The engineer is with the customer. For the Fault that may be returned, see `_go_on`."""
    return await _go_on(tx, attempt, placement, lambda order: rules.arrive(order, tx.now))


async def complete_work_order(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, *, sealer: Sealer, report: work_orders_pb2.Report
) -> WorkOrder:
    """Done; the engineer is free for what waits."""

    def complete(order: WorkOrder, pen: Pen) -> Step:
        return rules.complete(order, tx.now, report=_changed(report, pen.kept), told=_changed(report, pen.told))

    return await _finish(tx, attempt, placement, sealer, complete)


async def fail_work_order(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, *, sealer: Sealer, failure: str
) -> WorkOrder:
    """It could not be done; the engineer is free for what waits."""

    def fail(order: WorkOrder, pen: Pen) -> Step:
        return rules.fail(order, tx.now, failure=pen.kept(failure), told=pen.told(failure))

    return await _finish(tx, attempt, placement, sealer, fail)


async def _go_on(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, rule: Callable[[WorkOrder], Step]
) -> WorkOrder | Fault:
    """One step towards the visit, by somebody who is still qualified for it (DSP-02).

    If the qualification has expired before they set out, the work order goes to somebody else, and the Fault
    engineer_not_qualified is returned: raised, it would undo that too.
    """
    expired_for = await _holder_without_qualification(tx, await store.find(tx, attempt.work_order), placement)
    if expired_for is not None:
        await hold_waiting_line(tx)
    order = await _lock_own(tx, attempt)
    step = rule(order)
    if order.state not in NOT_STARTED or order.engineer_id != expired_for:
        return await store.save(tx, order, step, actor=attempt.principal.actor)
    withdrawal = rules.withdraw(order, because=QUALIFICATION_EXPIRED)
    await placement.pass_on(tx, order, withdrawal, actor=rules.SYSTEM)
    return Fault("engineer_not_qualified", skill=order.skill, level=order.level)


async def _holder_without_qualification(tx: UnitOfWork, order: WorkOrder, placement: Placement) -> UUID | None:
    if order.held_by is None:
        return None
    qualification = (await qualifications_of(tx, [order.held_by]))[order.held_by].get(order.skill)
    ranks = placement.policy.ranks
    if qualification and qualification.covers(order.skill, order.level, ranks=ranks, now=tx.now):
        return None
    return order.held_by


async def _finish(
    tx: UnitOfWork, attempt: Attempt, placement: Placement, sealer: Sealer, rule: Callable[[WorkOrder, Pen], Step]
) -> WorkOrder:
    await hold_waiting_line(tx)
    order = await _lock_own(tx, attempt)
    step = rule(order, await pen_for(tx, sealer, order))
    after = await store.save(tx, order, step, actor=attempt.principal.actor)
    if order.held_by is not None:
        await placement.take_up(tx, order.held_by)
    return after


async def _lock_own(tx: UnitOfWork, attempt: Attempt) -> WorkOrder:
    """The work order, if it is theirs to step on. Raises Fault not_yours, domain_forbidden or stale_version."""
    order = await store.lock(tx, attempt.work_order)
    require_may_act(attempt.principal, user_id=await user_of(tx, order.held_by), region=order.region)
    _require_version(order, attempt.expected_version)
    return order


def _changed(report: work_orders_pb2.Report, change: Change) -> work_orders_pb2.Report:
    changed = work_orders_pb2.Report()
    changed.CopyFrom(report)
    change_texts(changed, change)
    return changed


def _require_version(order: WorkOrder, expected: int) -> None:
    if expected not in {0, order.version}:
        raise Fault("stale_version")


def _require_suitable(need: Need, found: Obstacle | None) -> None:
    match found:
        case Obstacle.NOT_QUALIFIED:
            raise Fault("engineer_not_qualified", field="engineer_id", skill=need.skill, level=need.level)
        case Obstacle.OFF_SHIFT:
            raise Fault("engineer_off_shift", field="engineer_id")
        case Obstacle.OUTSIDE_TERRITORY:
            raise Fault("engineer_outside_territory", field="engineer_id", region=need.region)
