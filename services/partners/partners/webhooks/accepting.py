"""Taking events on for every endpoint that wants them: a delivery each, due at once."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, Self
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from partners.feed.cloudevent import CloudEvent
from partners.registry.partner import Partner
from partners.registry.scope import matches
from partners.webhooks import delivery
from partners.webhooks.endpoint import State
from partners.webhooks.tables import DELIVERIES, ENDPOINTS

_INSERT_ONCE = insert(DELIVERIES).on_conflict_do_nothing()


class Accepting:
    """What one transaction takes on: the endpoints are read once, and the deliveries written together."""

    def __init__(self, tx: UnitOfWork, endpoints: Collection[Row[Any]]) -> None:
        self._tx = tx
        self._endpoints: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for endpoint in endpoints:
            self._endpoints[endpoint.partner].append(endpoint)
        self._deliveries: list[dict[str, Any]] = []

    @classmethod
    async def for_endpoints_of(cls, tx: UnitOfWork, partners: Collection[Partner]) -> Self:
        """For the enabled endpoints of these partners."""
        names = [partner.partner for partner in partners]
        statement = select(ENDPOINTS).where(ENDPOINTS.c.partner.in_(names), ENDPOINTS.c.state == State.ENABLED)
        return cls(tx, (await tx.execute(statement)).all() if names else [])

    def accept(self, partner: str, event: CloudEvent, subject: str) -> None:
        """`subject` is the one that the event was published on."""
        for endpoint in self._endpoints[partner]:
            if not endpoint.event_types or matches(endpoint.event_types, subject):
                self._deliveries.append(delivery_row(self._tx, partner, endpoint.endpoint_id, event))

    async def write(self) -> int:
        """Writes the deliveries down, each once; returns how many they are."""
        if self._deliveries:
            await self._tx.execute(_INSERT_ONCE, self._deliveries)
        return len(self._deliveries)


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
