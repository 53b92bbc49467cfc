"""What every change of an appointment has in common: its case is locked first, and keeps the history."""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal

from intake.appointments import store
from intake.appointments.appointment import Appointment
from intake.appointments.rules import Step
from intake.cases import store as cases
from intake.cases.access import require_visible
from intake.cases.case import Case
from intake.cases.changes import put_back
from intake.cases.steps import Step as CaseStep
from intake.cases.steps import noted
from intake.cases.texts import Text
from intake.desk import Desk


async def take_in_hand(
    tx: UnitOfWork, principal: Principal, appointment_id: UUID, expected_version: int
) -> tuple[Case, Appointment]:
    """The appointment and its case, locked for this transaction and for this principal to change.

    Raises Fault appointment_unknown, also where its existence is nobody's business, domain_forbidden or stale_version.
    """
    case, appointment = await lock(tx, appointment_id)
    require_may_see(principal, case)
    if expected_version not in {0, appointment.version}:
        raise Fault("stale_version", version=appointment.version)
    return case, appointment


async def lock(tx: UnitOfWork, appointment_id: UUID) -> tuple[Case, Appointment]:
    """The same, for events and clocks. Raises Fault("appointment_unknown")."""
    case_id = (await store.find(tx, appointment_id)).case_id
    # The row of the case is the lock of its appointments too: read what it guards only behind it.
    case = await cases.lock(tx, str(case_id))
    return case, await store.find(tx, appointment_id)


def require_may_see(principal: Principal, case: Case) -> None:
    """Whoever may see the case. Raises Fault appointment_unknown or domain_forbidden."""
    try:
        require_visible(case, principal, case.case_number)
    except Fault as fault:
        if fault.code == "case_unknown":
            raise Fault("appointment_unknown", field="appointment_id") from fault
        raise


async def change(
    tx: UnitOfWork,
    desk: Desk,
    case: Case,
    before: Appointment,
    step: Step,
    *case_steps: CaseStep,
    actor: str,
    words: Text | None = None,
) -> Appointment:
    """Stores the step, in the history of the case too, and what it does to the case, and what somebody wrote."""
    after = await store.save(tx, before, step, responsible=case.owner)
    told = case_steps or (noted(case, step.happened, **step.details),)
    await put_back(tx, desk, case, *told, actor=actor, words=words)
    return after
