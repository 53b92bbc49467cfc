"""Giving up what waits, each with its reason and its event: nothing disappears silently."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate

from bihuan.partners.v1 import events_pb2
from servicekit.database import UnitOfWork
from sqlalchemy import select, update

from partners.webhooks.delivery import ENDPOINT_DISABLED, OPEN, Delivery, State
from partners.webhooks.tables import DELIVERIES

_BATCH = 1000

# A courier died while it was sending, and then the endpoint was disabled.
_PUT_BACK = """
UPDATE webhook_deliveries d SET state = 'waiting', due_at = $1::timestamptz, leased_until = NULL
FROM webhook_endpoints e
WHERE e.endpoint_id = d.endpoint_id AND e.state = 'disabled'
  AND d.state = 'sending' AND d.leased_until <= clock_timestamp()
"""
# $2: how much of the schedule is left after the try that is due, by the number of tries there were.
_END_OF_SCHEDULE = """
WITH over AS (
    SELECT d.delivery_id FROM webhook_endpoints e JOIN webhook_deliveries d USING (endpoint_id)
    WHERE e.state = 'disabled' AND d.state = 'waiting' AND d.due_at <= $1::timestamptz
      AND d.due_at + ($2::interval[])[least(d.tries + 1, cardinality($2::interval[]))] <= $1::timestamptz
    LIMIT $3 FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d
SET state = 'given_up', due_at = NULL, ended_at = $1, given_up_reason = $4
FROM over WHERE d.delivery_id = over.delivery_id
RETURNING d.delivery_id
"""


async def give_up_waiting(tx: UnitOfWork, reason: str, partner: str) -> None:
    """Everything that waits for a partner. It can be asked for again one by one."""
    statement = (
        update(DELIVERIES)
        .where(DELIVERIES.c.partner == partner, DELIVERIES.c.state.in_(OPEN))
        .values(state=State.GIVEN_UP, due_at=None, leased_until=None, ended_at=tx.now, given_up_reason=reason)
        .returning(*DELIVERIES.c)
    )
    for row in await tx.execute(statement):
        tell_given_up(tx, Delivery.model_validate(row._asdict()), reason)


async def give_up_what_nobody_enabled(tx: UnitOfWork, pauses: Sequence[timedelta]) -> int:
    """What waited for disabled endpoints as long as it would have been tried; how many there were, a batch at most."""
    await tx.fetch(_PUT_BACK, tx.now)
    left = [*reversed(list(accumulate(reversed(pauses)))), timedelta(0)]
    ended = [row["delivery_id"] for row in await tx.fetch(_END_OF_SCHEDULE, tx.now, left, _BATCH, ENDPOINT_DISABLED)]
    if ended:
        for row in await tx.execute(select(DELIVERIES).where(DELIVERIES.c.delivery_id.in_(ended))):
            tell_given_up(tx, Delivery.model_validate(row._asdict()), ENDPOINT_DISABLED)
    return len(ended)


def tell_given_up(tx: UnitOfWork, delivery: Delivery, reason: str) -> None:
    event = events_pb2.DeliveryGivenUp(
        delivery_id=str(delivery.delivery_id),
        endpoint_id=str(delivery.endpoint_id),
        partner=delivery.partner,
        reason=reason,
    )
    tx.emit(event, version=len(delivery.attempts) + 1)
