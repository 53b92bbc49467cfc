"""Processes told apart for good: a pid is reused after a crash, a pid with its start time is not."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

# Start times are read with the resolution of the kernel's clock ticks.
START_TIME_TOLERANCE = 0.05


@dataclass(frozen=True)
class ProcessIdentity:
    """One process, also after its pid went to somebody else."""

    pid: int
    # Seconds since the epoch, as the kernel says.
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The process that has this pid now; None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    @classmethod
    def own(cls) -> ProcessIdentity:
        return cls(os.getpid(), psutil.Process().create_time())

    def process(self) -> psutil.Process | None:
        """A handle on it while it lives; None when it ended, is a zombie, or its pid belongs to another process."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < START_TIME_TOLERANCE
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def alive(self) -> bool:
        return self.process() is not None


def stop_all(identities: list[ProcessIdentity], *, patience: float) -> None:
    """Asks processes that are not our children to end, and kills those still there after `patience` seconds."""
    processes = [process for identity in identities if (process := identity.process()) is not None]
    for process in processes:
        try:
            process.send_signal(signal.SIGTERM)
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=patience)


def memory_of(identity: ProcessIdentity) -> int:
    """Bytes of memory of a process and its children; what they share counts once, not once for each."""
    process = identity.process()
    if process is None:
        return 0
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_full_info().pss
        except psutil.Error:  # gone, or another user's
            continue
    return total


async def end_of(pid: int) -> None:
    """Returns when the child `pid` has ended. Sleeps until then: the kernel tells, nobody polls."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    watch = os.pidfd_open(pid)
    try:
        loop.add_reader(watch, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)
