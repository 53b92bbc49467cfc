"""Reading endpoints and deliveries. Whoever calls has asked whether the partner is the caller's own."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import select

from partners.webhooks.delivery import Delivery, State
from partners.webhooks.endpoint import Endpoint
from partners.webhooks.tables import DELIVERIES, ENDPOINTS


async def find_endpoint(tx: UnitOfWork, partner: str, endpoint_id: UUID) -> Endpoint:
    """Raises Fault endpoint_unknown, also for another partner's."""
    own = (ENDPOINTS.c.endpoint_id == endpoint_id, ENDPOINTS.c.partner == partner)
    row = (await tx.execute(select(ENDPOINTS).where(*own))).one_or_none()
    if row is None:
        raise Fault("endpoint_unknown", field="endpoint_id")
    return Endpoint.model_validate(row._asdict())


async def list_endpoints(tx: UnitOfWork, partner: str, *, after: UUID | None, limit: int) -> Sequence[Endpoint]:
    """By id, which is the order of their creation."""
    statement = select(ENDPOINTS).where(ENDPOINTS.c.partner == partner)
    if after is not None:
        statement = statement.where(ENDPOINTS.c.endpoint_id > after)
    rows = await tx.execute(statement.order_by(ENDPOINTS.c.endpoint_id).limit(limit))
    return [Endpoint.model_validate(row._asdict()) for row in rows]


async def find_delivery(tx: UnitOfWork, partner: str, delivery_id: UUID) -> Delivery:
    """Raises Fault delivery_unknown, also for another partner's."""
    own = (DELIVERIES.c.delivery_id == delivery_id, DELIVERIES.c.partner == partner)
    row = (await tx.execute(select(DELIVERIES).where(*own))).one_or_none()
    if row is None:
        raise Fault("delivery_unknown", field="delivery_id")
    return Delivery.model_validate(row._asdict())


async def list_deliveries(
    tx: UnitOfWork, partner: str, *, state: State | None, before: UUID | None, limit: int
) -> Sequence[Delivery]:
    """Newest first."""
    statement = select(DELIVERIES).where(DELIVERIES.c.partner == partner)
    if state is not None:
        statement = statement.where(DELIVERIES.c.state == state)
    if before is not None:
        statement = statement.where(DELIVERIES.c.delivery_id < before)
    rows = await tx.execute(statement.order_by(DELIVERIES.c.delivery_id.desc()).limit(limit))
    return [Delivery.model_validate(row._asdict()) for row in rows]
