"""One process under the supervisor's care, whether a program of ours or an embedded server."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from servicekit.embedded.processes import EmbeddedServerError, LaunchedProcess, launch

from bihuanctl.supervisor.precedence import give_way

Probe = Callable[[], Awaitable[bool]]


class EmbeddedServer(Protocol):
    """What EmbeddedPostgres and EmbeddedNats have in common."""

    @property
    def process(self) -> LaunchedProcess: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Child(Protocol):
    """What the keeper needs of a process."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    async def start(self) -> LaunchedProcess:
        """Starts it. Raises OSError or EmbeddedServerError when that is not possible now."""

    async def healthy(self) -> bool:
        """Whether it does its work at this moment."""

    async def settle(self) -> None:
        """Told once after each start, when it is healthy."""

    async def stop(self, patience: float) -> None:
        """Asks it to end and waits; forces it after `patience` seconds. Harmless when it does not run."""


@dataclass
class Program:
    """A Python program of ours, `python -m …`."""

    name: str
    port: int
    command: Sequence[str]
    # Asked at every start: some of it is known only once the servers run.
    environment: Callable[[], Mapping[str, str]]
    log: Path
    probe: Probe
    # Once it runs, it has the processors after the others.
    gives_way: bool = False
    _process: LaunchedProcess | None = None

    async def start(self) -> LaunchedProcess:
        self._process = launch(self.command, log=self.log, death_signal=signal.SIGTERM, env=self.environment())
        return self._process

    async def healthy(self) -> bool:
        return await self.probe()

    async def settle(self) -> None:
        if self.gives_way and self._process is not None:
            await give_way(self._process.pid)

    async def stop(self, patience: float) -> None:
        if self._process is not None:
            await self._process.stop([(signal.SIGTERM, patience)])
            self._process = None


@dataclass
class Server:
    """An embedded server; it is healthy as soon as it has started, and knows by itself how to be stopped."""

    name: str
    port: int
    server: EmbeddedServer
    probe: Probe

    async def start(self) -> LaunchedProcess:
        await self.server.start()
        return self.server.process

    async def healthy(self) -> bool:
        return await self.probe()

    async def settle(self) -> None:
        """Nothing is left to do."""

    async def stop(self, patience: float) -> None:  # noqa: ARG002 -- its own signals have their own patience
        await self.server.stop()


async def run_to_end(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, *, patience: float
) -> None:
    """Runs a program that ends by itself. Raises EmbeddedServerError with the end of its log when it fails."""
    process = launch(command, log=log, death_signal=signal.SIGTERM, env=environment)
    try:
        status = await process.wait(patience)
    except TimeoutError:
        raise EmbeddedServerError(f"{name} did not end within {patience:.0f} s:\n{process.log_tail()}") from None
    finally:
        await process.stop([(signal.SIGTERM, 5.0)])
    if status != 0:
        raise EmbeddedServerError(f"{name} failed with status {status}:\n{process.log_tail()}")
