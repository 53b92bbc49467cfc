"""Sending again, and trying an endpoint: each function is one use case in one transaction (GWY-05)."""

from typing import Any
from uuid import UUID

from bihuan.partners.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import insert, select, update

from partners.access import require_own
from partners.feed.cloudevent import CloudEvent
from partners.registry.partner import State as PartnerState
from partners.registry.queries import find_partner
from partners.webhooks.accepting import delivery_row
from partners.webhooks.delivery import Delivery, State
from partners.webhooks.endpoint import State as EndpointState
from partners.webhooks.queries import find_endpoint
from partners.webhooks.tables import DELIVERIES


async def redeliver(tx: UnitOfWork, name: str, delivery_id: UUID, *, principal: Principal) -> Delivery:
    """Due at once, with all its tries before it again, whatever became of it before. Its `webhook-id` stays.

    Raises Fault partner_forbidden, delivery_unknown, or transition_forbidden while it is open, its endpoint disabled or
    the partner not active.
    """
    require_own(principal, name)
    own = (DELIVERIES.c.delivery_id == delivery_id, DELIVERIES.c.partner == name)
    row = (await tx.execute(select(DELIVERIES).where(*own).with_for_update())).one_or_none()
    if row is None:
        raise Fault("delivery_unknown", field="delivery_id")
    before = Delivery.model_validate(row._asdict())
    await _require_open_way(tx, name, before.endpoint_id, "redeliver")
    if before.state not in {State.DELIVERED, State.GIVEN_UP}:
        raise Fault("transition_forbidden", action="redeliver", state=before.state.value)
    changes: dict[str, Any] = {
        "state": State.WAITING,
        "due_at": tx.now,
        "tries": 0,
        "ended_at": None,
        "given_up_reason": "",
    }
    await tx.execute(update(DELIVERIES).where(*own).values(changes))
    return before.model_copy(update=changes)


async def test_endpoint(tx: UnitOfWork, name: str, endpoint_id: UUID, *, principal: Principal) -> Delivery:
    """A delivery of an event that says nothing but that it is a test. Raises as `redeliver`, and endpoint_unknown."""
    require_own(principal, name)
    await _require_open_way(tx, name, endpoint_id, "test_endpoint")
    tested = events_pb2.EndpointTested(endpoint_id=str(endpoint_id), partner=name)
    event = CloudEvent(
        id=uuid7(),
        source="partners",
        type=tested.DESCRIPTOR.full_name,
        subject=str(endpoint_id),
        time=tx.now.isoformat(),
        entity_version=0,
        case_id="",
        data={"endpoint_id": str(endpoint_id), "partner": name},
    )
    row = delivery_row(tx, name, endpoint_id, event)
    await tx.execute(insert(DELIVERIES), row)
    tx.emit(tested, version=0)
    return Delivery(**row)


async def _require_open_way(tx: UnitOfWork, name: str, endpoint_id: UUID, action: str) -> None:
    partner_state = (await find_partner(tx, name)).state
    if partner_state != PartnerState.ACTIVE:
        raise Fault("transition_forbidden", action=action, state=partner_state.value)
    state = (await find_endpoint(tx, name, endpoint_id)).state
    if state != EndpointState.ENABLED:
        raise Fault("transition_forbidden", action=action, state=state.value)
