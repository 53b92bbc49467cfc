"""What happens when the clocks of cases pass a mark (INT-05, INT-06, INT-07, INT-11).

Every mark is announced by the kit as ClockWarned or ClockMissed; here is what it does to the case.
Those of appointments are in appointmentclocks.py.
"""

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from intake.appointmentclocks import watch_appointments
from intake.cases import care, rules, steps, store
from intake.cases.case import Confirmation, Stage
from intake.cases.steps import Step, noted
from intake.desk import Desk

ACTOR = "system"


def build_clocks(desk: Desk) -> DeadlineHandlers:
    clocks, standards = DeadlineHandlers(), desk.standards
    # Every handler, here and in appointmentclocks.py, begins with the case.
    clocks.takes_cases(store.take_free)
    # INT-06: which clock watches the first answer depends on the kind of case.
    response = {kind.response_clock for kind in standards.kinds.values()}
    escalating = sorted({*response, *steps.WORK_CLOCKS, steps.RESULT_FEEDBACK, steps.FOLLOW_UP, steps.FILING})

    @clocks.warned(*escalating, steps.CUSTOMER_CONFIRMATION)
    async def note_warning(tx: UnitOfWork, deadline: Deadline) -> None:
        case = await store.lock(tx, deadline.subject_id)
        warned = noted(case, "clock_warned", clock=deadline.clock, percent=str(deadline.percent))
        await store.save(tx, case, warned, actor=ACTOR)

    @clocks.missed(*escalating)
    async def escalate(tx: UnitOfWork, deadline: Deadline) -> None:
        """The region's supervisor is told; where the work was done late by now, the history says so. While a case waits
        for an incident, the incident's own ladder tells them, once for all of its cases."""
        case = await store.lock(tx, deadline.subject_id)
        step: Step
        if deadline.done_late_at is not None or case.stage == Stage.ARCHIVED or case.waits_for_incident:
            step = noted(case, "clock_missed", clock=deadline.clock)
        else:
            supervisor = standards.regions[case.region].supervisor
            step = care.escalate(case, clock=deadline.clock, supervisor=supervisor)
        await store.save(tx, case, step, actor=ACTOR)

    @clocks.missed(steps.CUSTOMER_CONFIRMATION)
    async def confirm_by_default(tx: UnitOfWork, deadline: Deadline) -> None:
        """Silence counts as confirmation, and is marked so: no escalation (INT-11)."""
        case = await store.lock(tx, deadline.subject_id)
        if deadline.done_late_at is None and case.stage == Stage.DELIVERED:
            step = rules.confirm(case, tx.now, confirmation=Confirmation.BY_DEFAULT)
        else:
            step = noted(case, "clock_missed", clock=deadline.clock)
        await store.save(tx, case, step, actor=ACTOR)

    watch_appointments(clocks, desk)
    return clocks
