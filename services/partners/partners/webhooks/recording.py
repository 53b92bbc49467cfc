"""What an attempt changes: the delivery, and what is thought of its endpoint."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from sqlalchemy import select, update

from partners.policy import Policy
from partners.webhooks.delivery import ATTEMPTS_EXHAUSTED, OPEN, Delivery, State, next_due
from partners.webhooks.endpoint import FAILED_TOO_LONG, GONE, Endpoint
from partners.webhooks.endpoint import State as EndpointState
from partners.webhooks.endpoints import disable
from partners.webhooks.givingup import tell_given_up
from partners.webhooks.sending import Outcome
from partners.webhooks.tables import DELIVERIES, ENDPOINTS


async def record_attempt(
    tx: UnitOfWork, delivery_id: UUID, endpoint_id: UUID, outcome: Outcome, policy: Policy
) -> bool:
    """Whether the endpoint was disabled by it."""
    # The endpoint first, as everybody who gives up its deliveries does.
    locked = await tx.execute(select(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == endpoint_id).with_for_update())
    endpoint = Endpoint.model_validate(locked.one()._asdict())
    row = (await tx.execute(select(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id).with_for_update())).one()
    delivery = Delivery.model_validate(row._asdict())
    attempt = {
        "at": tx.now.isoformat(),
        "status": outcome.status,
        "failure": outcome.failure,
        "milliseconds": outcome.milliseconds,
    }
    changes: dict[str, Any] = {"attempts": [*delivery.attempts, attempt]}
    if outcome.succeeded:
        changes |= {"state": State.DELIVERED, "due_at": None, "leased_until": None, "ended_at": tx.now}
        changes["given_up_reason"] = ""
    elif delivery.state in OPEN:
        changes |= _after_failure(tx, delivery, policy.retry_pauses)
    await tx.execute(update(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id).values(changes))
    seen: dict[str, Any] = {"failures": 0, "failing_since": None}
    if not outcome.succeeded:
        seen = {"failures": endpoint.failures + 1, "failing_since": endpoint.failing_since or tx.now}
    await tx.execute(update(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == endpoint_id).values(seen))
    after = endpoint.model_copy(update=seen)
    reason = _reason_to_disable(outcome, after, tx.now - policy.failing_at_most)
    if reason and endpoint.state == EndpointState.ENABLED:
        await disable(tx, after, reason)
        return True
    return False


def _after_failure(tx: UnitOfWork, delivery: Delivery, pauses: tuple[timedelta, ...]) -> dict[str, Any]:
    tries = delivery.tries + 1
    due_at = next_due(tx.now, tries, pauses)
    if due_at is not None:
        return {"state": State.WAITING, "tries": tries, "due_at": due_at, "leased_until": None}
    tell_given_up(tx, delivery, ATTEMPTS_EXHAUSTED)
    ended = {"state": State.GIVEN_UP, "ended_at": tx.now, "given_up_reason": ATTEMPTS_EXHAUSTED}
    return {**ended, "tries": tries, "due_at": None, "leased_until": None}


def _reason_to_disable(outcome: Outcome, endpoint: Endpoint, too_long_ago: datetime) -> str:
    """Why the endpoint is to be disabled; empty when it is not. How often it failed says nothing: with much waiting, a
    receiver that restarts fails often within minutes."""
    if outcome.status == HTTPStatus.GONE:
        return GONE
    since = endpoint.failing_since
    return FAILED_TOO_LONG if since is not None and since <= too_long_ago else ""
