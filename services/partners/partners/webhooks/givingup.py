"""Giving up what waits, each with its reason and its event: nothing disappears silently."""

from uuid import UUID

from bihuan.partners.v1 import events_pb2
from servicekit.database import UnitOfWork
from sqlalchemy import update

from partners.webhooks.delivery import OPEN, Delivery, State
from partners.webhooks.tables import DELIVERIES


async def give_up_waiting(tx: UnitOfWork, reason: str, *, partner: str = "", endpoint_id: UUID | None = None) -> None:
    """Everything that waits for a partner or for an endpoint. It can be asked for again one by one."""
    whose = DELIVERIES.c.endpoint_id == endpoint_id if endpoint_id else DELIVERIES.c.partner == partner
    statement = (
        update(DELIVERIES)
        .where(whose, DELIVERIES.c.state.in_(OPEN))
        .values(state=State.GIVEN_UP, due_at=None, leased_until=None, ended_at=tx.now, given_up_reason=reason)
        .returning(*DELIVERIES.c)
    )
    for row in await tx.execute(statement):
        tell_given_up(tx, Delivery.model_validate(row._asdict()), reason)


def tell_given_up(tx: UnitOfWork, delivery: Delivery, reason: str) -> None:
    event = events_pb2.DeliveryGivenUp(
        delivery_id=str(delivery.delivery_id),
        endpoint_id=str(delivery.endpoint_id),
        partner=delivery.partner,
        reason=reason,
    )
    tx.emit(event, version=len(delivery.attempts) + 1)
