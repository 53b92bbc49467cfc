"""A platform of the bench's own: started by the `bihuan` command in a temporary home, gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]
import yaml
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.layout import Layout
from bihuanctl.platform.state import PlatformState, read_running_state
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from servicekit.embedded.postgres import SUPERUSER
from servicekit.messaging.streams import COMMANDS, EVENTS

# Nobody is a partner of the bench's platform: what is left on the stream for partners is left there on purpose.
RESTING = frozenset({"partners"})
# As the issue asks: a share of the traces is sampled, into the local span store that `bihuan up` sets by itself.
TRACE_RATIO = "0.1"
# Of one processor: what probes, polls and the services' own upkeep take on an idle platform, and a little more.
QUIET_SHARE = 0.15
QUIET_PATIENCE_SECONDS = 8
DRAIN_PATIENCE = 120.0
STANDARDS = Path(__file__).parents[1] / "standards" / "data"
# More reports than any load sends in the window.
NEVER = 1_000_000
POLL_SECONDS = 0.02
# Variables of whoever runs the bench must not lead it to their own servers or standards.
_OURS = "BIHUAN_"
_UNPUBLISHED = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL AND parked_reason IS NULL)"


def _standards_without_outages(home: Path) -> Path:
    """The standards, but for one figure: a load of fault reports from one district is no mass outage here (INT-15).

    They are counted all the same, over a window that holds about as many of them as ten minutes of a real district.
    """
    folder = Path(shutil.copytree(STANDARDS, home / "standards"))
    thresholds = folder / "thresholds.yaml"
    content = yaml.safe_load(thresholds.read_text(encoding="utf-8"))
    content["windows"]["outage"]["length"] = "PT1S"
    content["thresholds"]["outage_reports"]["value"] = NEVER
    thresholds.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


class Platform:
    """Every service, the gateway, PostgreSQL and NATS, as `bihuan up` starts them on an empty home."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout(home)
        # How busy the processors were while this platform was quiet, in percent: the work of others.
        self.taken_by_others: list[float] = []
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | {
            "BIHUAN_HOME": str(home),
            "BIHUAN_TRACE_RATIO": TRACE_RATIO,
            "BIHUAN_STANDARDS_DIR": str(_standards_without_outages(home)),
        }

    async def up(self) -> float:
        """Starts it in the background; gives the seconds from the call to every process being healthy."""
        began = time.perf_counter()
        await self.command("up", "--detach", "--port", "0", "--adjustable-clock")
        return time.perf_counter() - began

    async def down(self) -> None:
        await self.command("down")

    async def command(self, *words: str) -> Any:
        """What `bihuan WORDS --json` prints. Raises RuntimeError with its complaint when it fails."""
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "bihuan"),
            *words,
            "--json",
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        answer, complaint = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"bihuan {' '.join(words)}: {complaint.decode() or answer.decode()}")
        return json.loads(answer)

    @property
    def state(self) -> PlatformState:
        state = read_running_state(self.layout.state)
        if state is None:
            raise RuntimeError("the bench's platform is not running")
        return state

    async def token(self) -> str:
        """An access token of the app's channel, which reports for customers."""
        return str((await self.command("token", "channel-app"))["access_token"])

    def database_url(self, database: str = "postgres") -> str:
        """URL of the embedded server's administrator."""
        password = (self.layout.postgres / "password").read_text()
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.state.processes['postgres'].port}/{database}"

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection of the administrator's, to check by SQL what the API said."""
        connection = await asyncpg.connect(self.database_url(name))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        """The bus as the operator."""
        async with operator_bus(self.layout.bus_login) as jetstream:
            yield jetstream

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything that it has started."""
        supervisor = psutil.Process(self.state.supervisor_pid)
        return [supervisor, *supervisor.children(recursive=True)]

    async def until_outbox_is_empty(self) -> float:
        """Waits until intake has published everything; gives the seconds. Raises TimeoutError."""
        began = time.perf_counter()
        async with self.database("intake") as intake, asyncio.timeout(DRAIN_PATIENCE):
            while await intake.fetchval(_UNPUBLISHED):
                await asyncio.sleep(POLL_SECONDS)
        return time.perf_counter() - began

    async def until_handled(self) -> float:
        """Waits until intake has published everything and every consumer has handled it; gives the seconds.

        Raises TimeoutError.
        """
        seconds = await self.until_outbox_is_empty()
        began = time.perf_counter()
        async with self.jetstream() as jetstream, asyncio.timeout(DRAIN_PATIENCE):
            for stream in (COMMANDS, EVENTS):
                while any(_is_behind(consumer) for consumer in await jetstream.consumers_info(stream)):
                    await asyncio.sleep(POLL_SECONDS)
        return seconds + time.perf_counter() - began

    async def until_quiet(self) -> None:
        """Waits until its processes together use next to nothing of one processor, for a while at most."""
        before = sum(self.processor_seconds().values())
        for _ in range(QUIET_PATIENCE_SECONDS):
            psutil.cpu_percent()
            await asyncio.sleep(1)
            now = sum(self.processor_seconds().values())
            if now - before < QUIET_SHARE:
                self.taken_by_others.append(psutil.cpu_percent())
                return
            before = now

    def processor_seconds(self) -> dict[str, float]:
        """Processor time that each process has used so far, by its name; PostgreSQL with all of its connections."""
        used = {"supervisor": _processor_seconds(psutil.Process(self.state.supervisor_pid), whole_family=False)}
        for name, process in self.state.processes.items():
            if process.pid is not None:
                used[name] = _processor_seconds(psutil.Process(process.pid), whole_family=True)
        return used


def _is_behind(consumer: ConsumerInfo) -> bool:
    return consumer.name not in RESTING and bool(consumer.num_pending or consumer.num_ack_pending)


def _processor_seconds(process: psutil.Process, *, whole_family: bool) -> float:
    """Of the process; with its family also of its children, those that have ended among them."""
    times = process.cpu_times()
    used = float(times.user + times.system)
    if whole_family:
        used += times.children_user + times.children_system
        for child in process.children():
            with contextlib.suppress(psutil.NoSuchProcess):  # a database connection that was just closed
                used += _processor_seconds(child, whole_family=True)
    return used


@asynccontextmanager
async def temporary_platform() -> AsyncIterator[Platform]:
    """A platform in a home of its own, not yet started; stopped and removed at the end, whatever happened."""
    home = Path(tempfile.mkdtemp(prefix="bihuan-bench-"))
    home.chmod(0o755)  # as root, PostgreSQL runs as another user below it
    platform = Platform(home)
    try:
        yield platform
    finally:
        await platform.down()
        elsewhere = platform.layout.postgres / "location"
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text().strip(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
