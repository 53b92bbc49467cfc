"""PostgreSQL and NATS: embedded, or those that BIHUAN_DATABASE_URL and BIHUAN_NATS_URL name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import structlog
from pydantic import SecretStr
from servicekit.embedded.nats import EmbeddedNats
from servicekit.embedded.ports import LOOPBACK
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.embedded.processes import EmbeddedServerError

from bihuanctl.platform.bus import BusLogin
from bihuanctl.platform.layout import Layout
from bihuanctl.supervisor.child import Child, Server
from bihuanctl.supervisor.environment import SERVICES
from bihuanctl.supervisor.health import tcp_probe

POSTGRES: Final = "postgres"
NATS: Final = "nats"
# How soon a new partner is let in.
FOLLOW_INTERVAL = 0.25

log = structlog.get_logger(__name__)


class DatabaseServer(Protocol):
    """Where the services' databases are."""

    # None: it is not ours to start and stop.
    child: Child | None

    @property
    def admin_url(self) -> str:
        """URL of somebody who may create databases and roles; known once the server runs."""


class BusServer(Protocol):
    """Where the bus is."""

    child: Child | None
    # Where it takes the accounts of partners from; None: from its own operator.
    partner_accounts: Path | None

    @property
    def url(self) -> str:
        """Without user and password."""

    def login(self, user: str) -> BusLogin:
        """The place of a service or of the operator; known once the server runs."""

    async def follow_partners(self) -> None:
        """Lets in the partners that there are, and no longer those that have gone; until cancelled."""


class EmbeddedDatabaseServer:
    """PostgreSQL from a wheel, in the home."""

    def __init__(self, layout: Layout, port: int) -> None:
        self._server = EmbeddedPostgres(layout.postgres, port)
        self.child: Child | None = Server(POSTGRES, port, self._server, tcp_probe(LOOPBACK, port))

    @property
    def admin_url(self) -> str:
        return self._server.url


class ExistingDatabaseServer:
    """PostgreSQL that runs already."""

    def __init__(self, admin_url: str) -> None:
        self.child: Child | None = None
        self._admin_url = admin_url

    @property
    def admin_url(self) -> str:
        return self._admin_url


class EmbeddedBusServer:
    """NATS from a wheel, in the home, with a user for each service."""

    def __init__(self, layout: Layout, port: int) -> None:
        self.url = f"nats://{LOOPBACK}:{port}"
        self._server = EmbeddedNats(layout.nats, SERVICES, port)
        self.child: Child | None = Server(NATS, port, self._server, self._server.is_healthy)
        self.partner_accounts: Path | None = self._server.partner_accounts

    def login(self, user: str) -> BusLogin:
        return BusLogin(url=self.url, user=user, password=SecretStr(self._server.password(user)))

    async def follow_partners(self) -> None:
        """Has the running server take over the accounts of partners whenever they change; until cancelled."""
        # What was written while everything started is taken over too.
        taken = 0
        while True:
            await asyncio.sleep(FOLLOW_INTERVAL)
            now = _stamp(self._server.partner_accounts)
            if now != taken:
                try:
                    await self._server.reload()
                except (OSError, EmbeddedServerError) as error:
                    # It reads them by itself when it starts again.
                    log.warning("partners_not_taken_over", reason=str(error))
                taken = now


class ExistingBusServer:
    """NATS that runs already; every process goes there with the credentials that the operator gave."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.child: Child | None = None
        self.partner_accounts: Path | None = None
        self.url = environment["BIHUAN_NATS_URL"]
        self._user = environment.get("BIHUAN_NATS_USER", "")
        self._password = SecretStr(environment.get("BIHUAN_NATS_PASSWORD", ""))

    def login(self, user: str) -> BusLogin:  # noqa: ARG002 -- one login for everybody
        return BusLogin(url=self.url, user=self._user, password=self._password)

    async def follow_partners(self) -> None:
        """Its operator does that, with what `bihuan partners accounts` prints."""


def _stamp(path: Path) -> int:
    """Changes whenever the file is written; 0 while there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
