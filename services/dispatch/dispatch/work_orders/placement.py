"""Finding somebody for work orders, and work for somebody who has become free (DSP-02, DSP-04).

Two rules keep replicas from harming each other:

* Nobody is overloaded: an engineer is taken at the version that was seen when choosing (see engineers/store.py).
* Nothing waits while somebody is free: a transaction that frees somebody, or is about to leave a work order waiting,
  holds the waiting line until it commits. Whichever of two comes second sees what the first has done.

The waiting line is taken before any row of a work order or engineer is locked, so that two transactions never wait for
each other.
"""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.regions import lies_in, regions_upwards
from servicekit.windows import Window
from sqlalchemy import select, text, tuple_

from dispatch.engineers import store as engineers
from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.queries import qualifications_of
from dispatch.engineers.tables import ENGINEERS, QUALIFICATIONS
from dispatch.policy import Policy
from dispatch.slots.keeping import choose_keeper
from dispatch.work_orders import rules, store
from dispatch.work_orders.assignment import (
    Candidate,
    Choice,
    Need,
    Nobody,
    choose,
    obstacle,
)
from dispatch.work_orders.tables import WORK_ORDERS
from dispatch.work_orders.work_order import State, WorkOrder

BECAME_FREE = "became_free"
APPOINTED = "appointment"
# Why an appointed time, and with it the work order, is given up.
NOBODY_LEFT = "nobody_left"
TIME_GIVEN_UP = "appointment_failed"

# Any constant will do; the lock is per database.
_WAITING_LINE = text("SELECT pg_advisory_xact_lock(7209115001)")
_CANDIDATES = select(ENGINEERS, QUALIFICATIONS).join_from(
    ENGINEERS, QUALIFICATIONS, QUALIFICATIONS.c.engineer_id == ENGINEERS.c.engineer_id
)


async def hold_waiting_line(tx: UnitOfWork) -> None:
    """Waits for its turn and keeps it until the transaction ends. Can be asked for twice."""
    await tx.execute(_WAITING_LINE)


class Placement:
    """Brings work orders and engineers together, after the standards' figures."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    async def place(self, tx: UnitOfWork, order: WorkOrder, *, ask_again: bool = False, because: str = "") -> WorkOrder:
        """Gives a waiting work order to the best engineer, or lets it wait with the reason.

        `ask_again`: those who declined it may get it when nobody else can do it. One with an appointed time does not
        wait: whoever can keep that gets it, or the time is given up, `because` of what took it from the one before;
        for such a one the caller holds the waiting line.
        """
        if order.window is not None:
            return await self._place_appointed(tx, order, order.window, because=because)
        holds_line = False
        while True:
            choice = await self._choose(tx, order, ask_again=ask_again)
            if isinstance(choice, Choice):
                if await engineers.take(tx, choice.engineer):
                    step = rules.assign(order, tx.now, engineer=choice.engineer, reasons=choice.reasons)
                    return await store.save(tx, order, step, actor=rules.SYSTEM)
            elif not holds_line:
                # Somebody may be becoming free at this moment: wait for that and look once more.
                await hold_waiting_line(tx)
                holds_line = True
            elif order.assignment_reasons == [choice.reason]:
                return order  # already said
            else:
                step = rules.wait(order, reason=choice.reason, counts=choice.counts)
                return await store.save(tx, order, step, actor=rules.SYSTEM)

    async def pass_on(self, tx: UnitOfWork, order: WorkOrder, withdrawal: rules.Step, *, actor: str) -> WorkOrder:
        """Takes it from whoever has it and finds the next one, and for them something else.

        The caller holds the waiting line.
        """
        withdrawn = await store.save(tx, order, withdrawal, actor=actor)
        after = await self.place(tx, withdrawn, because=withdrawal.details["because"])
        if order.held_by is not None:
            await self.take_up(tx, order.held_by, but=order.work_order_id)
        return after

    async def take_up(self, tx: UnitOfWork, engineer_id: UUID, *, but: UUID | None = None) -> None:
        """Gives an engineer who has become free what waited for them: most urgent first, then oldest; never `but`.

        What they declined before comes last: it waits only because nobody else can do it. The caller holds the waiting
        line.
        """
        engineer = await engineers.lock(tx, engineer_id)
        free = self.policy.capacity - engineer.open_work_orders
        if not engineer.on_shift or free <= 0:
            return
        qualifications = (await qualifications_of(tx, [engineer_id]))[engineer_id]
        for order in await self._waiting_for(tx, engineer, qualifications, but, free):
            need = Need(order.region, order.skill, order.level)
            candidate = Candidate(engineer, qualifications.get(order.skill))
            if obstacle(need, candidate, self.policy, tx.now) is None and await engineers.take(tx, engineer):
                step = rules.assign(order, tx.now, engineer=engineer, reasons=[BECAME_FREE])
                await store.save(tx, order, step, actor=rules.SYSTEM)
                engineer = await engineers.lock(tx, engineer_id)

    async def call_off(self, tx: UnitOfWork, order: WorkOrder) -> WorkOrder:
        """Its appointed time was given up. The case hears of it, and the customer chooses another time."""
        return await store.save(tx, order, rules.cancel(order, tx.now, reason=TIME_GIVEN_UP), actor=rules.SYSTEM)

    async def _place_appointed(self, tx: UnitOfWork, order: WorkOrder, window: Window, *, because: str) -> WorkOrder:
        engineer_id = await choose_keeper(tx, order, self.policy, because=because or NOBODY_LEFT)
        if engineer_id is None:
            return await self.call_off(tx, order)
        engineer = await engineers.lock(tx, engineer_id)
        # A promised time goes before the usual capacity. Nobody else changes a locked engineer.
        await engineers.take(tx, engineer)
        accept_by = window.start - self.policy.slots.lead
        step = rules.assign(
            order,
            tx.now,
            engineer=engineer,
            reasons=[APPOINTED],
            accept_by=accept_by if accept_by > tx.now else None,
        )
        return await store.save(tx, order, step, actor=rules.SYSTEM)

    async def _choose(self, tx: UnitOfWork, order: WorkOrder, *, ask_again: bool) -> Choice | Nobody:
        in_territory = ENGINEERS.c.territory.in_(regions_upwards(order.region))
        with_skill = _CANDIDATES.where(QUALIFICATIONS.c.skill == order.skill)
        for statement in (with_skill.where(in_territory), with_skill):
            candidates = [
                Candidate(Engineer.model_validate(dict(row)), Qualification.model_validate(dict(row)))
                for row in (await tx.execute(statement)).mappings()
            ]
            choice = choose(
                Need(order.region, order.skill, order.level),
                candidates,
                self.policy,
                tx.now,
                declined=frozenset(order.declined_by),
                ask_again=ask_again,
            )
            if isinstance(choice, Choice):
                break
        # Those outside the territory were looked at only to say truly why nobody can do it.
        return choice

    async def _waiting_for(
        self,
        tx: UnitOfWork,
        engineer: Engineer,
        qualifications: dict[str, Qualification],
        but: UUID | None,
        limit: int,
    ) -> Sequence[WorkOrder]:
        ranks = self.policy.ranks
        can_do = [
            (skill, level)
            for skill, held in qualifications.items()
            for level in ranks
            if held.covers(skill, level, ranks=ranks, now=tx.now)
        ]
        statement = (
            select(WORK_ORDERS)
            .where(
                WORK_ORDERS.c.state == State.WAITING,
                WORK_ORDERS.c.window_start.is_(None),
                tuple_(WORK_ORDERS.c.skill, WORK_ORDERS.c.level).in_(can_do),
                lies_in(WORK_ORDERS.c.region, engineer.territory),
            )
            .order_by(
                WORK_ORDERS.c.declined_by.contains([engineer.engineer_id]),
                WORK_ORDERS.c.priority,
                WORK_ORDERS.c.created_at,
                WORK_ORDERS.c.work_order_id,
            )
            .limit(limit)
            .with_for_update()
        )
        if but is not None:
            statement = statement.where(WORK_ORDERS.c.work_order_id != but)
        return [WorkOrder.model_validate(row._asdict()) for row in await tx.execute(statement)]
