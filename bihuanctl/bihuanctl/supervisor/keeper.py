"""Keeps one process running: starts it, watches it, starts it again when it dies, stops it when told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog
from servicekit.embedded.processes import EmbeddedServerError
from servicekit.tasks import end

from bihuanctl.platform.processes import ProcessIdentity, end_of
from bihuanctl.platform.state import ProcessCondition, ProcessState
from bihuanctl.supervisor.backoff import Backoff
from bihuanctl.supervisor.child import Child
from bihuanctl.supervisor.progress import Progress, Report

# How often health is asked: closely while starting, now and then afterwards.
STARTING_INTERVAL = 0.1
WATCH_INTERVAL = 2.0
PROBE_PATIENCE = 2.0
# A process that was never healthy and died so often has something wrong that a further start won't cure.
HOPELESS_STARTS = 3

log = structlog.get_logger(__name__)


class Keeper:
    """One process and what is wanted of it. `changed` is called after every change of `state`."""

    def __init__(self, child: Child, *, patience: float, changed: Callable[[], None], report: Report) -> None:
        self.child = child
        self._patience = patience
        self._changed = changed
        self._report = report
        self._task: asyncio.Task[None] | None = None
        self._well = asyncio.Event()
        self._hopeless = asyncio.Event()
        self._identity: ProcessIdentity | None = None
        self._condition: ProcessCondition = "stopped"
        self._begun = 0.0
        self._restarts = 0
        self._failure = ""

    @property
    def state(self) -> ProcessState:
        identity = self._identity
        return ProcessState(
            condition=self._condition,
            pid=identity.pid if identity else None,
            started=identity.started if identity else None,
            port=self.child.port,
            restarts=self._restarts,
        )

    async def start(self) -> None:
        """Begins to keep it running, and returns at once. Harmless when it is kept already."""
        if self._task is None:
            self._well.clear()
            self._hopeless.clear()
            self._task = asyncio.create_task(self._keep(), name=f"keep-{self.child.name}")

    async def until_well(self, patience: float) -> None:
        """Returns once it is healthy. Raises EmbeddedServerError with its last words when it won't be."""
        waits = [asyncio.create_task(event.wait()) for event in (self._well, self._hopeless)]
        try:
            await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self._well.is_set():
            reason = self._failure or f"not healthy after {patience:.0f} s"
            raise EmbeddedServerError(f"{self.child.name}: {reason}")

    async def stop(self) -> None:
        """Stops it and no longer starts it again."""
        task, self._task = self._task, None
        if task is not None:
            await end([task])
        await self.child.stop(self._patience)
        self._well.clear()
        self._became("stopped", None)

    async def restart(self) -> None:
        await self.stop()
        self._restarts += 1
        await self.start()

    def hurry(self) -> None:
        """From now on it is not given time to end by itself."""
        self._patience = 0.0

    async def _keep(self) -> None:
        backoff = Backoff()
        deaths = 0
        while True:
            self._begun = monotonic()
            self._became("restarting" if self._restarts else "starting", None)
            self._report(Progress(self.child.name, "begun"))
            self._failure = await self._live()
            deaths = 0 if self._well.is_set() else deaths + 1
            self._well.clear()
            if deaths >= HOPELESS_STARTS:
                self._hopeless.set()
            self._restarts += 1
            wait = backoff.after_run_of(monotonic() - self._begun)
            self._became("restarting", None)
            self._report(Progress(self.child.name, "failed", monotonic() - self._begun, self._failure))
            log.warning("process_died", process=self.child.name, reason=self._failure, restart_in_seconds=wait)
            await asyncio.sleep(wait)

    async def _live(self) -> str:
        """One life of the process, from its start to its end; says why it ended."""
        try:
            process = await self.child.start()
        except (OSError, EmbeddedServerError) as error:
            return str(error)
        self._became(self._condition, ProcessIdentity.of(process.pid))
        end = asyncio.create_task(end_of(process.pid))
        try:
            while not end.done():
                await self._probe()
                await asyncio.wait({end}, timeout=WATCH_INTERVAL if self._well.is_set() else STARTING_INTERVAL)
        finally:
            end.cancel()
        ended = f"exit status {process.returncode}"
        return ended if self._well.is_set() else f"{ended}\n{process.log_tail()}"

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(PROBE_PATIENCE):
                healthy = await self.child.healthy()
        except TimeoutError:
            healthy = False
        if healthy:
            if not self._well.is_set():
                await self.child.settle()
                self._well.set()
                self._report(Progress(self.child.name, "done", monotonic() - self._begun))
            self._became("healthy", self._identity)
        elif self._condition == "healthy":
            self._became("unhealthy", self._identity)
            log.warning("process_unhealthy", process=self.child.name)

    def _became(self, condition: ProcessCondition, identity: ProcessIdentity | None) -> None:
        if (condition, identity) != (self._condition, self._identity):
            self._condition, self._identity = condition, identity
            self._changed()
