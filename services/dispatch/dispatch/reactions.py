"""What dispatch does for other services: the work orders and incidents that they ask for or call off (DSP-03, INT-15),
the slots that they book (DSP-05), what training's certificates allow (DSP-02), and whom it forgets (REC-06)."""

from datetime import UTC
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2, incident_events_pb2
from bihuan.intake.v1.events_pb2 import CustomerErased
from bihuan.training.v1 import events_pb2 as training_events
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.messaging import NotYet, Reactions, Received

from dispatch.engineers.certificate import Certificate, State
from dispatch.engineers.certification import end_certificate, take_certificate
from dispatch.incidents.ladder import Ladder
from dispatch.incidents.opening import open_for_reports
from dispatch.slots.booking import book_reservation
from dispatch.words import KEYS
from dispatch.work_orders.creation import cancel_work_order, create_work_order
from dispatch.work_orders.placement import Placement


def build_reactions(placement: Placement, ladder: Ladder) -> Reactions:
    reactions = Reactions("dispatch")

    @reactions.on(events_pb2.CreateWorkOrder)
    async def create(tx: UnitOfWork, wanted: events_pb2.CreateWorkOrder, _received: Received) -> None:
        await create_work_order(tx, wanted, placement)

    @reactions.on(events_pb2.CancelWorkOrder)
    async def cancel(tx: UnitOfWork, wanted: events_pb2.CancelWorkOrder, _received: Received) -> None:
        try:
            await cancel_work_order(tx, wanted, placement)
        except Fault as fault:
            if fault.code == "work_order_unknown":
                raise NotYet("the work order to cancel is not created yet") from fault
            raise

    @reactions.on(events_pb2.BookReservation)
    async def book(tx: UnitOfWork, wanted: events_pb2.BookReservation, _received: Received) -> None:
        await book_reservation(tx, wanted, placement)

    @reactions.on(incident_events_pb2.OpenIncident)
    async def open_incident(tx: UnitOfWork, wanted: incident_events_pb2.OpenIncident, _received: Received) -> None:
        await open_for_reports(tx, wanted, placement.policy, ladder)

    @reactions.on(training_events.CertificateIssued)
    async def certified(tx: UnitOfWork, issued: training_events.CertificateIssued, _received: Received) -> None:
        certificate = Certificate(
            certificate_id=UUID(issued.certificate_id),
            user_id=issued.person,
            skill=issued.skill,
            level=issued.level,
            valid_until=issued.valid_until.ToDatetime(tzinfo=UTC),
            state=State.VALID,
        )
        await take_certificate(tx, certificate, placement)

    @reactions.on(training_events.CertificateExpired)
    async def expired(tx: UnitOfWork, event: training_events.CertificateExpired, _received: Received) -> None:
        await _end(tx, event.certificate_id, State.EXPIRED)

    @reactions.on(training_events.CertificateRevoked)
    async def revoked(tx: UnitOfWork, event: training_events.CertificateRevoked, _received: Received) -> None:
        await _end(tx, event.certificate_id, State.REVOKED)

    @reactions.on(CustomerErased)
    async def customer_erased(tx: UnitOfWork, event: CustomerErased, _received: Received) -> None:
        await KEYS.erase(tx, UUID(event.customer_id))

    async def _end(tx: UnitOfWork, certificate_id: str, state: State) -> None:
        try:
            await end_certificate(tx, UUID(certificate_id), state, placement)
        except Fault as fault:
            if fault.code == "certificate_unknown":
                raise NotYet("the certificate that ended is not known yet") from fault
            raise

    return reactions
