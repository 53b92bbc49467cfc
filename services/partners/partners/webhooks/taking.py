"""What a courier takes next: due, of partners and endpoints that are open, fairly over the endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork

# Each open endpoint's own first ones by its index, so that a long backlog costs what a short one does. The condition is
# there twice: after waiting for a row's lock only what stands beside the lock is looked at again, and another courier
# may have leased the row meanwhile.
_TAKE = """
WITH due AS (
    SELECT first.delivery_id
    FROM webhook_endpoints e JOIN partners p USING (partner) CROSS JOIN LATERAL (
        (SELECT d.delivery_id FROM webhook_deliveries d
         WHERE d.endpoint_id = e.endpoint_id AND d.state = 'waiting' AND d.due_at <= $1::timestamptz
         ORDER BY d.due_at LIMIT $3)
        UNION ALL
        (SELECT d.delivery_id FROM webhook_deliveries d
         WHERE d.endpoint_id = e.endpoint_id AND d.state = 'sending' AND d.leased_until <= clock_timestamp()
         ORDER BY d.leased_until LIMIT $3)
    ) AS first
    WHERE e.state = 'enabled' AND p.state = 'active' AND e.endpoint_id <> ALL($2::uuid[])
), taken AS (
    SELECT d.delivery_id FROM webhook_deliveries d JOIN due USING (delivery_id)
    WHERE (d.state = 'waiting' AND d.due_at <= $1::timestamptz)
       OR (d.state = 'sending' AND d.leased_until <= clock_timestamp())
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


async def take_due(tx: UnitOfWork, busy: Sequence[UUID], *, limit: int, lease_seconds: float) -> list[Errand]:
    """At most `limit`, none for the endpoints in `busy`; they are leased to the caller, for longer than an attempt."""
    rows = await tx.fetch(_TAKE, tx.now, list(busy), limit, lease_seconds)
    return [Errand(**dict(row)) for row in rows]
