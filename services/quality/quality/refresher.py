"""Keeps figures and alerts up with what happens, as long as the process lives (QLT-02, QLT-03)."""

import asyncio
import contextlib
import time

import structlog
from servicekit.database import Database, UnitOfWork
from servicekit.database.trouble import is_database_trouble
from servicekit.errors import Fault

from quality.alerts.watching import INTERVAL, every_place, watch
from quality.figures.refreshing import BATCH, Refreshed, refresh, take_up_standards
from quality.rebuilding import throw_away_retired
from quality.reports.closing import await_period_end
from standards import Standards

# What happens within it is taken up together: a case that is accepted and assessed at once is looked at once.
GATHER_SECONDS = 0.25
# What another process heard, and has not taken up: that long at most.
LOOK_SECONDS = 5.0
RETRY_SECONDS = 1.0
# After a look for alerts it rests that many times as long: however much there is to add up, a twentieth of the time.
RESTS = 20

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
        self._begun_anew = False
        # Real time: a look costs the same whatever the platform's clock says.
        self._pause = float(standards.thresholds[INTERVAL].value)
        self._next_look = time.monotonic()

    def wake(self) -> None:
        self._woken.set()

    def begin_anew(self) -> None:
        """Other figures are shown from now on: all of them are judged, and what they replace is thrown away."""
        self._touched = every_place(self._standards)
        self._prepared = False
        self._begun_anew = True
        self._next_look = time.monotonic()
        self.wake()

    async def run(self) -> None:
        while True:
            try:
                await self._refresh()
                if time.monotonic() >= self._next_look:
                    await self._judge()
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
        """Returns when everything remembered so far is in the figures, and judged unless a look is under way."""
        await self._refresh()
        await self._judge()

    async def _refresh(self) -> None:
        if not self._prepared:
            # Before, not after: what is begun anew meanwhile is prepared once more.
            self._prepared = True
            try:
                await self._database.run("prepare_figures", self._prepare)
            except BaseException:
                self._prepared = False
                raise
        refreshed = Refreshed(changes=BATCH)
        while refreshed.changes:
            refreshed = await self._database.run("refresh_figures", lambda tx: refresh(tx, self._standards))
            self._touched |= refreshed.touched

    async def _judge(self) -> None:
        """What was touched since the last look. It adds up all that is known of two months, so it is not done often."""
        if not self._touched:
            return
        # Taken away before, not after: what is touched or begun anew meanwhile is judged by the next look, because
        # this one may have added up what was shown before.
        touched, self._touched = frozenset(self._touched), set()
        began, self._begun_anew = time.monotonic(), False
        try:
            await self._database.run("watch_figures", lambda tx: watch(tx, self._standards, touched))
        except BaseException:
            self._touched |= touched
            raise
        if not self._begun_anew:
            ended = time.monotonic()
            self._next_look = ended + max(self._pause, RESTS * (ended - began))

    async def _prepare(self, tx: UnitOfWork) -> None:
        await take_up_standards(tx, self._standards)
        await throw_away_retired(tx)
        await await_period_end(tx, self._standards)
