"""Taking an event on for every endpoint that wants it: a delivery each, due at once."""

from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from partners.feed.cloudevent import CloudEvent
from partners.registry.scope import matches
from partners.webhooks import delivery
from partners.webhooks.endpoint import State
from partners.webhooks.tables import DELIVERIES, ENDPOINTS

_INSERT_ONCE = insert(DELIVERIES).on_conflict_do_nothing()


async def accept(tx: UnitOfWork, partner: str, event: CloudEvent, subject: str) -> None:
    """`subject` is the one that the event was published on."""
    statement = select(ENDPOINTS).where(ENDPOINTS.c.partner == partner, ENDPOINTS.c.state == State.ENABLED)
    wanting = [
        row.endpoint_id
        for row in await tx.execute(statement)
        if not row.event_types or matches(row.event_types, subject)
    ]
    if wanting:
        await tx.execute(_INSERT_ONCE, [delivery_row(tx, partner, endpoint_id, event) for endpoint_id in wanting])


def delivery_row(tx: UnitOfWork, partner: str, endpoint_id: UUID, event: CloudEvent) -> dict[str, Any]:
    """A new delivery as it is stored."""
    taken_on = delivery.Delivery(
        delivery_id=uuid7(),
        endpoint_id=endpoint_id,
        partner=partner,
        event_id=event.id,
        event_type=event.type,
        content=event.to_json(),
        state=delivery.State.WAITING,
        due_at=tx.now,
        accepted_at=tx.now,
    )
    return taken_on.model_dump()
