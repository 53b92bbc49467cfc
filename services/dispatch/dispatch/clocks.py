"""What happens when the clocks of work orders, held slots and incidents pass a mark (INT-05, INT-07, DSP-05, DSP-06).

Every mark is announced by the kit as ClockWarned or ClockMissed; here is what dispatch does besides. Handling has
nothing besides: an engineer who is late goes on, and those who answer for the case hear of it by the event. Nor have
an incident's response and restoration: its commander hears of it.
"""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from dispatch.incidents import rules as incident_rules
from dispatch.incidents import store as incidents
from dispatch.incidents.incident import State as IncidentState
from dispatch.incidents.ladder import Ladder
from dispatch.policy import SLOT_HOLD
from dispatch.slots.holding import expire_hold
from dispatch.work_orders import rules, store
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.work_order import State

NOT_ACCEPTED_IN_TIME = "not_accepted_in_time"


def build_clocks(placement: Placement, ladder: Ladder) -> DeadlineHandlers:
    clocks = DeadlineHandlers()

    @clocks.warned(rules.ASSIGNMENT)
    @clocks.missed(rules.ASSIGNMENT)
    async def ask_again(tx: UnitOfWork, deadline: Deadline) -> None:
        """It has waited long: now those who declined it may get it, if nobody else can do it."""
        await hold_waiting_line(tx)
        order = await store.lock(tx, deadline.subject_id)
        if order.state == State.WAITING:
            await placement.place(tx, order, ask_again=True)

    @clocks.missed(rules.ACCEPTANCE)
    async def take_away(tx: UnitOfWork, deadline: Deadline) -> None:
        """Whoever lets it lie loses it to the next one; where there is none, it waits and the dispatcher is told."""
        await hold_waiting_line(tx)
        order = await store.lock(tx, deadline.subject_id)
        # It may have been accepted late, or given to somebody else, before this mark was acted on.
        if order.state == State.ASSIGNED and str(order.engineer_id) == deadline.responsible:
            withdrawal = rules.withdraw(order, because=NOT_ACCEPTED_IN_TIME, declined=True)
            await placement.pass_on(tx, order, withdrawal, actor=rules.SYSTEM)

    @clocks.missed(rules.APPOINTMENT_ASSIGNMENT)
    async def call_up(tx: UnitOfWork, deadline: Deadline) -> None:
        """An appointed time is near: whoever is planned for it gets it (DSP-05)."""
        await hold_waiting_line(tx)
        order = await store.lock(tx, deadline.subject_id)
        if order.state == State.PLANNED:
            await placement.place(tx, await store.save(tx, order, rules.call_up(order), actor=rules.SYSTEM))

    @clocks.missed(SLOT_HOLD)
    async def expire(tx: UnitOfWork, deadline: Deadline) -> None:
        """Nobody booked what was held (DSP-05)."""
        await expire_hold(tx, UUID(deadline.subject_id))

    @clocks.missed(*ladder.clocks)
    async def climb(tx: UnitOfWork, deadline: Deadline) -> None:
        """Nobody answered at this level: the next one is told. Above the highest there is nobody (DSP-06)."""
        incident = await incidents.lock(tx, deadline.subject_id)
        # It may have been answered late, or raised by an alarm, before this mark was acted on.
        told = ladder.rung(incident.level, incident.region)
        if incident.state != IncidentState.REPORTED or deadline.clock != told.clock:
            return
        above = ladder.above(incident.level, incident.region)
        if above is None:
            step = incident_rules.noted(incident, "ladder_exhausted", clock=deadline.clock)
        else:
            step = incident_rules.escalate(incident, above, clock=deadline.clock)
        await incidents.save(tx, incident, step, actor=rules.SYSTEM)

    return clocks
