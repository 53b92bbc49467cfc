"""Keeps figures and alerts up with what happens, as long as the process lives (QLT-02, QLT-03)."""

import asyncio
import contextlib

import structlog
from servicekit.database import Database, UnitOfWork
from servicekit.database.trouble import is_database_trouble
from servicekit.errors import Fault

from quality.alerts.watching import every_place, watch
from quality.figures.refreshing import BATCH, Refreshed, refresh, take_up_standards
from quality.rebuilding import throw_away_retired
from quality.reports.closing import await_period_end
from standards import Standards

# What happens within it is taken up together: a case that is accepted and assessed at once is looked at once.
GATHER_SECONDS = 0.25
# What another process heard, and has not taken up: that long at most.
LOOK_SECONDS = 5.0
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Refresher:
    """`wake` after something was remembered; `run` forms figures until it is cancelled."""

    def __init__(self, database: Database, standards: Standards) -> None:
        self._database = database
        self._standards = standards
        self._woken = asyncio.Event()
        # What an earlier process may have left without a look.
        self._touched = every_place(standards)
        self._prepared = False

    def wake(self) -> None:
        self._woken.set()

    def begin_anew(self) -> None:
        """Other figures are shown from now on: all of them are judged, and what they replace is thrown away."""
        self._touched = every_place(self._standards)
        self._prepared = False
        self.wake()

    async def run(self) -> None:
        while True:
            try:
                await self.catch_up()
            except Exception as trouble:
                if not (is_database_trouble(trouble) or isinstance(trouble, Fault)):
                    log.exception("figures_not_refreshed")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)
            self._woken.clear()

    async def catch_up(self) -> None:
        """Returns when everything remembered so far is in the figures, and they are judged."""
        if not self._prepared:
            await self._database.run("prepare_figures", self._prepare)
            self._prepared = True
        refreshed = Refreshed(changes=BATCH)
        while refreshed.changes:
            refreshed = await self._database.run("refresh_figures", lambda tx: refresh(tx, self._standards))
            self._touched |= refreshed.touched
        if self._touched:
            touched = frozenset(self._touched)
            await self._database.run("watch_figures", lambda tx: watch(tx, self._standards, touched))
            self._touched -= touched

    async def _prepare(self, tx: UnitOfWork) -> None:
        await take_up_standards(tx, self._standards)
        await throw_away_retired(tx)
        await await_period_end(tx, self._standards)
