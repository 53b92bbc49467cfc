"""What intake tells the loop check of appointments: each with its clocks, and what is wrong with it (INT-09)."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from intake.appointments import rules
from intake.appointments.appointment import Appointment, State
from intake.appointments.tables import APPOINTMENTS
from intake.cases import store as cases
from intake.cases.appointed import VISITED
from intake.cases.case import Case
from servicekit import deadlines


async def appointment_facts(tx: UnitOfWork, after: UUID, limit: int) -> list[EntityFact]:
    """The next appointments by id."""
    columns = APPOINTMENTS.c
    statement = select(APPOINTMENTS).where(columns.appointment_id > after).order_by(columns.appointment_id).limit(limit)
    found = [Appointment.model_validate(row._asdict()) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(each.appointment_id) for each in found])
    known = await cases.find_many(tx, {each.case_id for each in found})
    facts = []
    for appointment in found:
        states = {clock.name: clock.state for clock in clocks[str(appointment.appointment_id)]}
        running = deadlines.running(clocks[str(appointment.appointment_id)])
        facts.append(
            EntityFact(
                entity="appointment",
                entity_id=str(appointment.appointment_id),
                case_id=str(appointment.case_id),
                state=appointment.state,
                running_clocks=running,
                version=appointment.version,
                problems=list(problems_of(appointment, known[appointment.case_id], states, running)),
            )
        )
    return facts


def problems_of(
    appointment: Appointment, case: Case, clocks: Mapping[str, int], running: Collection[str]
) -> Iterator[str]:
    """What is wrong with an appointment, in words for operators. Pure."""
    if appointment.state != State.CONFIRMED:
        if running:
            yield f"clocks still run in state {appointment.state}: {', '.join(sorted(running))}"
        return
    if case.work_order_id != appointment.work_order_id or case.stage not in VISITED:
        yield f"it is confirmed while its case does not wait for its visit (stage {case.stage})"
    elif case.appointed is None or (case.appointed_from, case.appointed_until) != (
        appointment.starts_at,
        appointment.ends_at,
    ):
        yield "its case has another appointed time"
    if rules.REMINDER not in clocks:
        yield f"clock {rules.REMINDER} was never started"
    if appointment.prepared_at is None and rules.PREPARATION not in clocks:
        yield f"clock {rules.PREPARATION} was never started"
