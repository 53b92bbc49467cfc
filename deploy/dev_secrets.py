"""`python -m deploy.dev_secrets [FOLDER]`: generates the dev overlay's secrets; doing it again changes nothing."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bihuanctl.supervisor.environment import SERVICES
from gateway.issuer.initialise import initialise
from servicekit.messaging.streams import OPERATOR

FOLDER: Final = Path(__file__).parent / "k8s" / "overlays" / "dev" / "secrets"
KEYS: Final = ("master-key", "certificate-key", "hotline-key", "log-key")
KEY_BYTES: Final = 32


def generate(folder: Path) -> None:
    """Writes every file of the dev overlay's secrets into `folder` that is not there yet, for the owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    initialise(folder / "issuer")
    # They belong together: passwords stand in the server's file and in that of whoever uses them.
    if (folder / "nats.env").exists():
        return
    nats = {user: _password() for user in (*SERVICES, OPERATOR)}
    admin = _password()
    for service in SERVICES:
        url = f"postgresql+asyncpg://{service}:{_password()}@postgres:5432/{service}"
        credentials = {"database-url": url, "nats-user": service, "nats-password": nats[service]}
        _write(folder / f"{service}.env", credentials)
    _write(folder / "operator.env", {"nats-user": OPERATOR, "nats-password": nats[OPERATOR]})
    _write(
        folder / "postgres.env",
        {"password": admin, "admin-url": f"postgresql://postgres:{admin}@postgres:5432/postgres"},
    )
    for name in KEYS:
        _write(folder / f"{name}.env", {name: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()})
    _write(folder / "nats.env", nats)


def _password() -> str:
    # NATS reads a variable as a value of its configuration: one that looks like a number would be one.
    return f"p{secrets.token_hex(24)}"


def _write(path: Path, values: Mapping[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m deploy.dev_secrets", description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    generate(arguments.parse_args().folder)
