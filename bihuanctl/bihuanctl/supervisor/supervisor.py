"""The supervisor: one start, one watch, one clean stop of the whole platform."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog
from servicekit.embedded.processes import EmbeddedServerError
from servicekit.tasks import end

from bihuanctl.platform.layout import Layout
from bihuanctl.platform.lock import SupervisorLock
from bihuanctl.platform.processes import ProcessIdentity, stop_all
from bihuanctl.platform.state import PlatformState, read_state, write_state
from bihuanctl.refusal import Refusal
from bihuanctl.supervisor import control
from bihuanctl.supervisor.assembly import Assembly
from bihuanctl.supervisor.environment import GATEWAY, SERVICES
from bihuanctl.supervisor.keeper import Keeper
from bihuanctl.supervisor.logfiles import rotate_large_logs
from bihuanctl.supervisor.progress import DATABASE_OF, Report, step
from bihuanctl.supervisor.servers import NATS, POSTGRES

# Whatever dies while it starts is noticed at once; this is for what hangs. The gateway is ready only when all services
# are, and so has to be given the whole start, which on a busy machine took more than a minute.
START_PATIENCE = 150.0
LEFTOVER_PATIENCE = 15.0
HOUSEKEEPING_INTERVAL = 10.0

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs one platform. Build it with the lock of its home held."""

    def __init__(self, layout: Layout, assembly: Assembly, report: Report) -> None:
        self._layout = layout
        self._assembly = assembly
        self._begun = monotonic()
        self._up_since = datetime.now(UTC)
        self._identity = ProcessIdentity.own()
        self._start_seconds: float | None = None
        self._stopping = asyncio.Event()
        self._keepers = {
            child.name: Keeper(child, patience=assembly.drain_seconds + 5, changed=self._write_state, report=report)
            for child in assembly.children
        }
        self._report = report

    async def run(self, ready: Callable[[PlatformState], None]) -> None:
        """Starts everything, calls `ready`, and returns when it was told to stop and has stopped everything.

        Raises Refusal `start_failed`, or what a step of the start refused; then, too, nothing is left running.
        """
        self._listen_to_signals()
        self._write_state()
        ears = await control.listen(self._layout.control, self._obey)
        try:
            if await self._unless_stopped(self._start()):
                self._start_seconds = monotonic() - self._begun
                self._write_state()
                log.info("platform_ready", seconds=round(self._start_seconds, 2))
                ready(self.state)
                await self._keep_house()
        finally:
            ears.close()
            await self._stop()

    @property
    def state(self) -> PlatformState:
        return PlatformState(
            supervisor_pid=self._identity.pid,
            supervisor_started=self._identity.started,
            up_since=self._up_since,
            ready=self._start_seconds is not None,
            start_seconds=self._start_seconds,
            gateway_url=self._assembly.surroundings.gateway_url,
            nats_url=self._assembly.surroundings.nats_url,
            clock_adjustable=self._assembly.surroundings.clock_adjustable,
            targets=dict(self._assembly.surroundings.targets),
            processes={name: keeper.state for name, keeper in self._keepers.items()},
        )

    # --- start -------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        """Everything at once, each part as soon as what it needs is there."""
        try:
            async with asyncio.TaskGroup() as group:
                database = group.create_task(self._bring_up(POSTGRES))
                bus = group.create_task(self._bring_up_bus())
                issuer = group.create_task(self._step("issuer", self._assembly.make_issuer()))
                for service in SERVICES:
                    group.create_task(self._bring_up_service(service, after=(database, bus, issuer)))
                group.create_task(self._bring_up(GATEWAY, after=(issuer,)))
        except ExceptionGroup as failed:
            first = failed.exceptions[0]
            log.error("start_failed", exc_info=first)
            if isinstance(first, Refusal):
                raise first from None
            raise Refusal("start_failed", reason=str(first) or repr(first)) from None

    async def _bring_up(self, name: str, after: tuple[asyncio.Task[None], ...] = ()) -> None:
        await asyncio.gather(*after)
        if name in self._keepers:  # existing servers are somebody else's
            await self._keepers[name].start()
            await self._keepers[name].until_well(START_PATIENCE)

    async def _bring_up_bus(self) -> None:
        await self._bring_up(NATS)
        await self._step("streams", self._assembly.provision_streams())

    async def _bring_up_service(self, service: str, after: tuple[asyncio.Task[None], ...]) -> None:
        await after[0]
        await self._step(f"{DATABASE_OF}{service}", self._assembly.migrate(service))
        await self._bring_up(service, after)

    async def _step(self, name: str, work: Awaitable[None]) -> None:
        async with step(self._report, name):
            await work

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Whether `work` ended before somebody asked us to stop; then it is cancelled."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            return task.done()
        finally:
            await end([task, stopping])

    # --- while it runs -----------------------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        following = asyncio.create_task(self._assembly.follow_partners(), name="follow partners")
        try:
            while not self._stopping.is_set():
                rotate_large_logs(self._layout.all_logs())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HOUSEKEEPING_INTERVAL):
                        await self._stopping.wait()
        finally:
            await end([following])

    async def _obey(self, action: str, process: str) -> dict[str, Any]:
        """What `bihuan restart|stop|start NAME` ask for; answers when it is done."""
        keeper = self._keepers.get(process)
        if keeper is None:
            raise Refusal("process_unknown", name=process, known=", ".join(self._keepers))
        if action == "stop":
            await keeper.stop()
        else:
            await (keeper.restart() if action == "restart" else keeper.start())
            try:
                await keeper.until_well(START_PATIENCE)
            except EmbeddedServerError as error:
                raise Refusal("process_unwell", name=process, reason=error) from None
        return keeper.state.model_dump()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop)

    def _asked_to_stop(self) -> None:
        if self._stopping.is_set():  # asked twice: somebody is in a hurry
            for keeper in self._keepers.values():
                keeper.hurry()
        self._stopping.set()

    # --- stop --------------------------------------------------------------------------------------------------------

    async def _stop(self) -> None:
        """No more requests first, then the services with what they have begun, the servers last."""
        async with step(self._report, "stop"):
            await self._stop_in_order()
        for path in (self._layout.control, self._layout.bus_login, self._layout.state):
            path.unlink(missing_ok=True)
        log.info("platform_stopped")

    async def _stop_in_order(self) -> None:
        for names in ((GATEWAY,), SERVICES, (NATS, POSTGRES)):
            await asyncio.gather(*(self._keepers[name].stop() for name in names if name in self._keepers))

    def _write_state(self) -> None:
        write_state(self._layout.state, self.state)


def stop_leftovers(layout: Layout) -> int:
    """Stops what a supervisor that was killed has left running; gives how many processes that were.

    They are dying already: each is sent a signal by the kernel when its parent is gone. This waits for it.
    """
    state = read_state(layout.state)
    if state is None or state.supervisor.alive:
        return 0
    left = [process.identity for process in state.processes.values()]
    alive = [identity for identity in left if identity is not None and identity.alive]
    stop_all(alive, patience=LEFTOVER_PATIENCE)
    return len(alive)


def lock_home(layout: Layout) -> SupervisorLock:
    """Takes the home for a new supervisor. Raises Refusal `already_running`."""
    layout.create()
    lock = SupervisorLock(layout.lock)
    if not lock.acquire():
        raise Refusal("already_running", home=layout.home)
    return lock
