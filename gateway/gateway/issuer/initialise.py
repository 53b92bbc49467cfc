"""`python -m gateway issuer-init DIR`: makes the issuer's key and first accounts. Doing it again changes nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from servicekit.documents import packaged

from gateway.issuer.passwords import generate_password, hash_password
from gateway.issuer.registry import USERS_FILE, Registry
from gateway.issuer.signing import JWKS_FILE, KEY_FILE, SigningKey

CREDENTIALS_FILE: Final = "credentials.json"
# Others may pass through to jwks.json, and list nothing.
_FOLDER_MODE: Final = 0o711
_SECRET_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


def initialise(folder: Path) -> list[str]:
    """Makes what is missing in `folder`; gives the names of the files written. Accounts that exist are left alone.

    `credentials.json` holds the generated passwords in plain text, for the owner of the folder only.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    written: list[str] = []
    if not (folder / KEY_FILE).exists():
        _write(folder / KEY_FILE, SigningKey.generate().pem, _SECRET_MODE)
        written.append(KEY_FILE)
    jwks = _as_json(SigningKey.load(folder).jwks)
    if not (folder / JWKS_FILE).exists() or (folder / JWKS_FILE).read_bytes() != jwks:
        _write(folder / JWKS_FILE, jwks, _PUBLIC_MODE)
        written.append(JWKS_FILE)
    return written + _add_accounts(folder)


def _add_accounts(folder: Path) -> list[str]:
    """Adds the accounts of people.yaml that the folder does not know yet, each with a new password."""
    known = Registry.load(folder) if (folder / USERS_FILE).exists() else Registry()
    wanted = _first_accounts()
    new_people = [person for person in wanted.people if known.person(person.user) is None]
    new_clients = [client for client in wanted.clients if known.client(client.client) is None]
    if not new_people and not new_clients:
        return []
    passwords = {person.user: generate_password() for person in new_people}
    secrets = {client.client: generate_password() for client in new_clients if client.roles}
    plain = [*passwords.values(), *secrets.values()]
    with ThreadPoolExecutor() as threads:
        hashes = dict(zip(plain, threads.map(hash_password, plain), strict=True))
    registry = Registry(
        people=(
            *known.people,
            *(person.model_copy(update={"password": hashes[passwords[person.user]]}) for person in new_people),
        ),
        clients=(
            *known.clients,
            # A client without a role acts only for people, and has no secret.
            *(
                client.model_copy(update={"secret": hashes[secrets[client.client]]}) if client.roles else client
                for client in new_clients
            ),
        ),
    )
    # Credentials first: after a power cut in between, the accounts are simply made again.
    path = folder / CREDENTIALS_FILE
    credentials: dict[str, dict[str, str]] = json.loads(path.read_bytes()) if path.exists() else {}
    for kind, fresh in (("people", passwords), ("clients", secrets)):
        credentials[kind] = credentials.get(kind, {}) | fresh
    _write(path, _as_json(credentials), _SECRET_MODE)
    _write(folder / USERS_FILE, registry.model_dump_json(indent=2, exclude_defaults=True).encode(), _SECRET_MODE)
    return [CREDENTIALS_FILE, USERS_FILE]


def _first_accounts() -> Registry:
    return Registry.model_validate(packaged("gateway.issuer", "people.yaml"))


def _as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replaces a file in one step; it never exists with wider rights or half its content."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        # The process's umask may have taken the right that others need.
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
