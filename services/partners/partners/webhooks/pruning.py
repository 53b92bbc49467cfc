"""Forgetting deliveries that ended long ago."""

import asyncio

import structlog
from servicekit.database import Database
from servicekit.errors import Fault

from partners.policy import Policy

_INTERVAL_SECONDS = 3600.0
_BATCH = 1000
_FORGET = """
DELETE FROM webhook_deliveries WHERE delivery_id IN (
    SELECT delivery_id FROM webhook_deliveries WHERE ended_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING true
"""

log = structlog.get_logger(__name__)


class DeliveryPruner:
    """Keeps the table of deliveries from growing for ever."""

    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def run(self) -> None:
        """Until cancelled, once an hour."""
        while True:
            try:
                while await self.prune() == _BATCH:
                    pass
            except Fault as away:
                log.warning("pruning_waits", reason=away.code)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def prune(self) -> int:
        """Forgets a batch; gives how many there were."""
        async with self._database.transaction("prune_deliveries") as tx:
            return len(await tx.fetch(_FORGET, tx.now - self._policy.history_kept, _BATCH))
