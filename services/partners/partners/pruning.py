"""What goes from the service's own tables when nobody needs it any more."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from servicekit.database import UnitOfWork
from servicekit.pruning import BATCH, Pruning

from partners.policy import Policy

_DELIVERIES = """
DELETE FROM webhook_deliveries WHERE delivery_id IN (
    SELECT delivery_id FROM webhook_deliveries WHERE ended_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING true
"""
_REGIONS = """
DELETE FROM event_regions WHERE entity_id IN (
    SELECT entity_id FROM event_regions WHERE remembered_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING true
"""


def build_prunings(policy: Policy) -> Mapping[str, Pruning]:
    """Deliveries that ended long ago, and regions of what was opened so long ago that nothing more comes of it."""
    return {
        "prune_deliveries": partial(_prune, _DELIVERIES, policy.history_kept),
        "prune_regions": partial(_prune, _REGIONS, policy.regions_kept),
    }


async def _prune(statement: str, kept: timedelta, tx: UnitOfWork) -> int:
    return len(await tx.fetch(statement, tx.now - kept, BATCH))
