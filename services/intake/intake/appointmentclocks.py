"""What happens when the clocks of appointments pass a mark (INT-09)."""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers
from servicekit.windows import Window

from intake.appointments import rules
from intake.appointments.appointment import State
from intake.appointments.changes import change, lock
from intake.cases import appointed, care, notices, store
from intake.desk import Desk

ACTOR = "system"


def watch_appointments(clocks: DeadlineHandlers, desk: Desk) -> None:
    @clocks.missed(rules.REMINDER)
    async def remind(tx: UnitOfWork, deadline: Deadline) -> None:
        """The appointed time is near."""
        case, appointment = await lock(tx, UUID(deadline.subject_id))
        if appointment.state == State.CONFIRMED and appointed.awaits_visit(case, appointment.work_order_id):
            await change(tx, desk, case, appointment, rules.remind(appointment, tx.now), actor=ACTOR)
            appointed_time = Window.of(appointment.period)
            # We may have been away meanwhile: nobody is reminded of what is past.
            if tx.now < appointed_time.start:
                notice = notices.APPOINTMENT_REMINDER
                await notices.tell(tx, desk, case, notice, appointment=str(appointed_time))

    @clocks.missed(rules.PREPARATION, rules.ARRIVAL)
    async def escalate(tx: UnitOfWork, deadline: Deadline) -> None:
        """Not prepared, or nobody there, in time: the region's supervisor is told while it can still be mended."""
        case, appointment = await lock(tx, UUID(deadline.subject_id))
        expected = appointment.state == State.CONFIRMED and appointed.awaits_visit(case, appointment.work_order_id)
        if expected and deadline.done_late_at is None:
            supervisor = desk.standards.regions[case.region].supervisor
            step = care.escalate(case, clock=deadline.clock, supervisor=supervisor)
            await store.save(tx, case, step, actor=ACTOR)
