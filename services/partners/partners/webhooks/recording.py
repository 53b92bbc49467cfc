"""What an attempt changes: the delivery, and what is thought of its endpoint."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from sqlalchemy import select, update

from partners.policy import Policy
from partners.webhooks.delivery import ATTEMPTS_EXHAUSTED, OPEN, Delivery, State, next_due
from partners.webhooks.endpoint import FAILED_TOO_OFTEN, GONE, Endpoint
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
    failures = 0 if outcome.succeeded else endpoint.failures + 1
    await tx.execute(update(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == endpoint_id).values(failures=failures))
    reason = _reason_to_disable(outcome, failures, policy.most_failures)
    if reason and endpoint.state == EndpointState.ENABLED:
        await disable(tx, endpoint.model_copy(update={"failures": failures}), reason)
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


def _reason_to_disable(outcome: Outcome, failures: int, most_failures: int) -> str:
    """Why the endpoint is to be disabled; empty when it is not."""
    if outcome.status == HTTPStatus.GONE:
        return GONE
    return FAILED_TOO_OFTEN if failures >= most_failures else ""
