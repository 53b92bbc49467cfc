"""Starting server processes that never outlive their parent, with their output in a log file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LOG_LIMIT_BYTES = 20 * 1024 * 1024
_POLL_SECONDS = 0.02
_LEASH = Path(__file__).with_name("leash.py")


class EmbeddedServerError(Exception):
    """An embedded server could not be started; the text says why and shows the end of its log."""


class LaunchedProcess:
    """A running child process. Bound to no event loop, so that it can be started in one and stopped in another."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self.log = log

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    async def wait(self, seconds: float | None = None) -> int:
        """Its exit status. Raises TimeoutError when it still runs after `seconds`."""
        until = None if seconds is None else time.monotonic() + seconds
        while (status := self._popen.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"process {self.pid} still runs after {seconds} s")
            await asyncio.sleep(_POLL_SECONDS)
        return status

    async def stop(self, signals: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal and wait its seconds, until the process ends; at last kill it."""
        for number, seconds in (*signals, (signal.SIGKILL, 10.0)):
            if self._popen.poll() is not None:
                return
            self._popen.send_signal(number)
            try:
                await self.wait(seconds)
            except TimeoutError:
                continue

    def log_tail(self, lines: int = 15) -> str:
        """The end of its log, to explain a failure."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def launch(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
) -> LaunchedProcess:
    """Start `command` in a session of its own, appending its output to `log`.

    `death_signal` is sent to it when this process dies, however it dies (Linux). The kernel watches the thread that
    starts it, so this works from the main thread only. With `uid` it runs as that user and group (needs root).
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start servers from the main thread: a child gets its death signal when its thread ends")
    _turn_log(log)
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 - no shell; the caller names the program
            on_leash(command, death_signal, uid),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    return LaunchedProcess(popen, log)


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> list[str]:
    """Program and arguments of a process; empty when it is gone or the system doesn't tell."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def on_leash(command: Sequence[str | Path], death_signal: signal.Signals, uid: int | None = None) -> list[str]:
    """The command that runs `command` so that it gets `death_signal` when the thread that starts it ends (Linux).

    To be started from the process that calls this, without a shell or anything else between. With `uid` it runs as that
    user and group (needs root).
    """
    leash = [sys.executable, "-I", "-S", _LEASH, int(death_signal), os.getpid(), "-" if uid is None else uid]
    return [str(part) for part in (*leash, *command)]


def _turn_log(log: Path) -> None:
    """Keep one old log, so that logs stay bounded over many starts."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(log.suffix + ".1"))
