"""What a service does once a day of platform time: months are made ahead in its partitioned tables, old rows go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from servicekit.clock import Clock
from servicekit.database import Database
from servicekit.database.partitions import ensure_months
from servicekit.errors import Fault
from servicekit.pruning import BATCH, PRUNINGS, Pruning

EVERY = timedelta(days=1)
_RETRY_SECONDS = 5.0
# After a defect: it is seldom gone soon, and nothing here is urgent.
_RETRY_DEFECT_SECONDS = 300.0
# Between batches, so that they never crowd out the work.
_PAUSE_SECONDS = 0.05

log = structlog.get_logger(__name__)


class Housekeeper:
    """Keeps months ahead in `partitioned` (table name → its time column) and prunes the kit's tables and, by
    `prunings`, the service's own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        partitioned: Mapping[str, str],
        prunings: Mapping[str, Pruning] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._partitioned = partitioned
        self._prunings = {prune.__name__: prune for prune in PRUNINGS} | dict(prunings or {})

    async def run(self) -> None:
        """Keeps house until cancelled; PostgreSQL may come and go, and replicas may do it at the same time."""
        while True:
            try:
                await self._make_months()
                await self._prune()
            except Fault as fault:
                log.info("housekeeping_postponed", reason=fault.code)
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:  # no reason to stop serving
                log.exception("housekeeping_failed")
                await asyncio.sleep(_RETRY_DEFECT_SECONDS)
            else:
                await self._clock.wait_until(self._clock.now() + EVERY)

    async def _make_months(self) -> None:
        for table, column in self._partitioned.items():
            async with self._database.transaction("ensure_months") as tx:
                made = await ensure_months(tx, table, column)
            if made:
                log.info("partitions_made", partitions=made)

    async def _prune(self) -> None:
        for name, prune in self._prunings.items():
            deleted = BATCH
            while deleted == BATCH:
                async with self._database.transaction(name) as tx:
                    deleted = await prune(tx)
                await asyncio.sleep(_PAUSE_SECONDS)
