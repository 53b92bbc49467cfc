"""Puts one platform together: its ports, its processes, and what must be prepared before they run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial

import servicekit.messaging.streams
from pydantic import SecretStr
from servicekit.database.migrations import is_migrated, migrations_of
from servicekit.database.provisioning import provision
from servicekit.embedded.ports import LOOPBACK, claim, free_ports, is_free
from servicekit.messaging.streams import OPERATOR

from bihuanctl.platform.bus import operator_bus, write_login
from bihuanctl.platform.layout import Layout
from bihuanctl.platform.secrets import PlatformSecrets, open_secrets
from bihuanctl.refusal import Refusal
from bihuanctl.supervisor.child import Child, Program, run_to_end
from bihuanctl.supervisor.environment import GATEWAY, SERVICES, Account, Surroundings
from bihuanctl.supervisor.health import grpc_probe, http_probe
from bihuanctl.supervisor.options import StartOptions
from bihuanctl.supervisor.precedence import GIVING_WAY
from bihuanctl.supervisor.servers import (
    BusServer,
    DatabaseServer,
    EmbeddedBusServer,
    EmbeddedDatabaseServer,
    ExistingBusServer,
    ExistingDatabaseServer,
)

DEFAULT_GATEWAY_PORT = 8080
PREPARATION_PATIENCE = 150.0
# As in servicekit.settings, where a process has the same default.
DRAIN_SECONDS = 10.0


class Assembly:
    """The parts of one platform. Built without starting anything."""

    def __init__(
        self, surroundings: Surroundings, secrets: PlatformSecrets, database: DatabaseServer, bus: BusServer
    ) -> None:
        self.surroundings = surroundings
        self.drain_seconds = _drain_seconds(surroundings.inherited)
        self._secrets = secrets
        self._database = database
        self._bus = bus
        self._database_urls: dict[str, str] = {}
        servers = [server.child for server in (database, bus) if server.child is not None]
        self.children: list[Child] = [*servers, *(self._service(name) for name in SERVICES), self._gateway()]

    async def make_issuer(self) -> None:
        """Keys and users of the built-in issuer, once for all."""
        await run_to_end(
            "issuer",
            [sys.executable, "-m", "gateway", "issuer-init", str(self.surroundings.layout.issuer)],
            self.surroundings.of_gateway(),
            self.surroundings.layout.log("issuer"),
            patience=PREPARATION_PATIENCE,
        )

    async def provision_streams(self) -> None:
        """Streams and the clock's bucket; and the operator's login for the other commands."""
        write_login(self.surroundings.layout.bus_login, self._bus.login(OPERATOR))
        async with operator_bus(self.surroundings.layout.bus_login) as jetstream:
            await servicekit.messaging.streams.provision(jetstream)

    async def follow_partners(self) -> None:
        """Keeps the bus in step with the partners, until cancelled."""
        await self._bus.follow_partners()

    async def migrate(self, service: str) -> None:
        """The service's role and database, with the tables of this version."""
        password = self._secrets.database[service]
        url = self._database_urls[service] = await provision(self._database.admin_url, service, password)
        # The usual case, found out without a process that would take a second or two of the start.
        if await is_migrated(url, migrations_of(service)):
            return
        await run_to_end(
            f"migrate-{service}",
            [sys.executable, "-m", service, "migrate"],
            self._environment_of(service),
            self.surroundings.layout.log(f"migrate-{service}"),
            patience=PREPARATION_PATIENCE,
        )

    def _service(self, name: str) -> Program:
        target = self.surroundings.targets[name]
        return Program(
            name,
            int(target.rpartition(":")[2]),
            [sys.executable, "-m", name],
            partial(self._environment_of, name),
            self.surroundings.layout.log(name),
            grpc_probe(target),
            gives_way=name in GIVING_WAY,
        )

    def _gateway(self) -> Program:
        return Program(
            GATEWAY,
            self.surroundings.gateway_port,
            [sys.executable, "-m", "gateway"],
            self.surroundings.of_gateway,
            self.surroundings.layout.log(GATEWAY),
            http_probe(LOOPBACK, self.surroundings.gateway_port, "/readyz"),
        )

    def _environment_of(self, service: str) -> Mapping[str, str]:
        login = self._bus.login(service)
        account = Account(self._database_urls[service], login.user, login.password.get_secret_value())
        return self.surroundings.of_service(service, account)


def assemble(layout: Layout, options: StartOptions, environment: Mapping[str, str]) -> Assembly:
    """A platform in `layout` as asked for. Raises Refusal `port_taken` or `setting_wrong`."""
    ports = free_ports()
    database: DatabaseServer = (
        ExistingDatabaseServer(environment["BIHUAN_DATABASE_URL"])
        if environment.get("BIHUAN_DATABASE_URL")
        else EmbeddedDatabaseServer(layout, next(ports))
    )
    bus: BusServer = (
        ExistingBusServer(environment) if environment.get("BIHUAN_NATS_URL") else EmbeddedBusServer(layout, next(ports))
    )
    gateway_port = _gateway_port(options.port, ports)
    secrets = open_secrets(layout.secrets, SERVICES)
    surroundings = Surroundings(
        layout=layout,
        gateway_url=f"http://{LOOPBACK}:{gateway_port}",
        gateway_port=gateway_port,
        nats_url=bus.url,
        targets={name: f"{LOOPBACK}:{next(ports)}" for name in SERVICES},
        master_key=SecretStr(secrets.master_key),
        own={
            "training": {"BIHUAN_CERTIFICATE_KEY": SecretStr(secrets.certificate_key)},
            "records": {"BIHUAN_LOG_KEY": SecretStr(secrets.log_key)},
            GATEWAY: {"BIHUAN_HOTLINE_KEY": SecretStr(secrets.hotline_key)},
        },
        jwks=layout.issuer / "jwks.json",
        clock_adjustable=options.clock_adjustable,
        bus_accounts=bus.partner_accounts,
        inherited=environment,
    )
    return Assembly(surroundings, secrets, database, bus)


def _drain_seconds(environment: Mapping[str, str]) -> float:
    """How long our programs may take to end what they have begun, as they read it themselves."""
    try:
        seconds = float(environment.get("BIHUAN_DRAIN_SECONDS", DRAIN_SECONDS))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise Refusal("setting_wrong", name="BIHUAN_DRAIN_SECONDS")
    return seconds


def _gateway_port(wanted: int | None, ports: Iterator[int]) -> int:
    if wanted is None:
        free = is_free(DEFAULT_GATEWAY_PORT) and claim(DEFAULT_GATEWAY_PORT)
        return DEFAULT_GATEWAY_PORT if free else next(ports)
    if wanted == 0:
        return next(ports)
    if not is_free(wanted):
        raise Refusal("port_taken", port=wanted)
    return wanted
