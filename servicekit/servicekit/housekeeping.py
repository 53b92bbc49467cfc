"""What a service does once a day of platform time: months are made ahead in its partitioned tables."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from servicekit.clock import Clock
from servicekit.database import Database
from servicekit.database.partitions import ensure_months
from servicekit.errors import Fault

EVERY = timedelta(days=1)
_RETRY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Housekeeper:
    """Keeps months ahead in `partitioned`: table name → its time column."""

    def __init__(self, database: Database, clock: Clock, partitioned: Mapping[str, str]) -> None:
        self._database = database
        self._clock = clock
        self._partitioned = partitioned

    async def run(self) -> None:
        """Keeps house until cancelled; PostgreSQL may come and go."""
        while True:
            try:
                for table, column in self._partitioned.items():
                    async with self._database.transaction("ensure_months") as tx:
                        if made := await ensure_months(tx, table, column):
                            log.info("partitions_made", partitions=made)
            except Fault as fault:
                log.info("housekeeping_postponed", reason=fault.code)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await self._clock.wait_until(self._clock.now() + EVERY)
