"""What each process is told: the BIHUAN_ variables of servicekit.settings, computed for this platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from servicekit.embedded.ports import LOOPBACK
from servicekit.messaging import users

from bihuanctl.platform.layout import Layout

SERVICES: Final = users.SERVICES
# The one service that tells the bus who else may sign in there.
PARTNERS: Final = "partners"
GATEWAY: Final = users.GATEWAY
AUDIENCE: Final = "bihuan"
# Where the hotline puts callers through to: nobody's telephone, `bihuan call` plays the desk.
DESK: Final = "sip:agents@bihuan.localhost"


@dataclass(frozen=True)
class Account:
    """How one service reaches its own database and its own place on the bus."""

    database_url: str
    nats_user: str
    nats_password: str


@dataclass(frozen=True)
class Surroundings:
    """What every process of one platform shares."""

    layout: Layout
    gateway_url: str
    gateway_port: int
    nats_url: str
    targets: Mapping[str, str]
    master_key: SecretStr
    # What only one process is told, by its name: the keys that it signs and seals with.
    own: Mapping[str, Mapping[str, SecretStr]]
    jwks: Path
    clock_adjustable: bool
    # Where the bus takes the accounts of partners from; None: the bus is somebody else's.
    bus_accounts: Path | None
    # The caller's own environment; BIHUAN_ variables that are not set here, such as BIHUAN_TRACE_RATIO, pass through.
    inherited: Mapping[str, str]

    def of_service(self, service: str, account: Account) -> dict[str, str]:
        return (
            self._shared()
            | self._own_of(service)
            | {
                "BIHUAN_DATABASE_URL": account.database_url,
                "BIHUAN_NATS_URL": self.nats_url,
                "BIHUAN_NATS_USER": account.nats_user,
                "BIHUAN_NATS_PASSWORD": account.nats_password,
                "BIHUAN_GRPC_LISTEN": self.targets[service],
                "BIHUAN_MASTER_KEY": self.master_key.get_secret_value(),
                "BIHUAN_CLOCK_ADJUSTABLE": json.dumps(self.clock_adjustable),
            }
        )

    def _own_of(self, process: str) -> dict[str, str]:
        own = {name: value.get_secret_value() for name, value in self.own.get(process, {}).items()}
        if process == PARTNERS and self.bus_accounts is not None:
            own["BIHUAN_BUS_ACCOUNTS"] = str(self.bus_accounts)
        return own

    def of_gateway(self) -> dict[str, str]:
        own = self._own_of(GATEWAY)
        return (
            self._shared()
            | own
            | {
                "BIHUAN_HTTP_LISTEN": f"{LOOPBACK}:{self.gateway_port}",
                "BIHUAN_PUBLIC_URL": self.gateway_url,
                "BIHUAN_ISSUER_DIR": str(self.layout.issuer),
                "BIHUAN_HOTLINE_AGENTS": self.inherited.get("BIHUAN_HOTLINE_AGENTS", DESK),
            }
        )

    def _shared(self) -> dict[str, str]:
        return {
            **_without_secrets(self.inherited),
            "BIHUAN_OIDC_ISSUER": self.gateway_url,
            "BIHUAN_OIDC_AUDIENCE": AUDIENCE,
            "BIHUAN_OIDC_JWKS": str(self.jwks),
            "BIHUAN_TARGETS": json.dumps(dict(self.targets)),
            "BIHUAN_LOG_FORMAT": "json",
            "BIHUAN_SPAN_STORE": str(self.layout.span_store),
        }


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without the administrator's own access to the servers."""
    mine = ("BIHUAN_DATABASE_URL", "BIHUAN_NATS_URL", "BIHUAN_NATS_USER", "BIHUAN_NATS_PASSWORD", "BIHUAN_TOKEN")
    return {name: value for name, value in environment.items() if name not in mine}
