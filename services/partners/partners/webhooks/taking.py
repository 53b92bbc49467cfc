"""What a courier takes next: due, of partners and endpoints that are open, fairly over the endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork

# Longer than an attempt may take.
LEASE_SECONDS = 60

_TAKE = """
WITH due AS (
    SELECT d.delivery_id,
           row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.due_at, d.delivery_id) AS place
    FROM webhook_deliveries d
    JOIN webhook_endpoints e USING (endpoint_id)
    JOIN partners p ON p.partner = d.partner
    WHERE d.state IN ('waiting', 'sending') AND e.state = 'enabled' AND p.state = 'active'
      AND (d.due_at <= $1::timestamptz OR d.leased_until <= clock_timestamp())
      AND d.endpoint_id <> ALL($2::uuid[])
), taken AS (
    SELECT d.delivery_id FROM webhook_deliveries d JOIN due USING (delivery_id)
    WHERE due.place <= $3 AND d.state IN ('waiting', 'sending')
    ORDER BY d.delivery_id LIMIT $3 FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d
SET state = 'sending', due_at = NULL, leased_until = clock_timestamp() + make_interval(secs => $4)
FROM taken, webhook_endpoints e
WHERE d.delivery_id = taken.delivery_id AND e.endpoint_id = d.endpoint_id
RETURNING d.delivery_id, d.endpoint_id, d.partner, d.event_id, d.content, e.url
"""


@dataclass(frozen=True, slots=True)
class Errand:
    """A delivery to be sent now."""

    delivery_id: UUID
    endpoint_id: UUID
    partner: str
    event_id: UUID
    content: str
    url: str


async def take_due(tx: UnitOfWork, busy: Sequence[UUID], *, limit: int) -> list[Errand]:
    """At most `limit`, none for the endpoints in `busy`; they are leased to the caller."""
    rows = await tx.fetch(_TAKE, tx.now, list(busy), limit, LEASE_SECONDS)
    return [Errand(**dict(row)) for row in rows]
