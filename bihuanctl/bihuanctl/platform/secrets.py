"""Passwords and keys of one platform, generated once and kept in a file that only its owner reads."""

from __future__ import annotations

import base64
import secrets as randomness
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bihuanctl.platform.files import write_atomically

PASSWORD_BYTES = 24
KEY_BYTES = 32


class PlatformSecrets(BaseModel):
    """Never printed, never passed on a command line."""

    model_config = ConfigDict(frozen=True)

    # 32 bytes in base64: wraps the customers' keys. Lost, personal data is lost.
    master_key: str
    # 32 bytes in base64: the Ed25519 key that certificates are signed with. Changed, new ones carry another signature.
    certificate_key: str = ""
    # 32 bytes in base64: the Ed25519 key that the heads of the archive's log are signed with. As above.
    log_key: str = ""
    # 32 bytes in base64: seals where calls of the hotline stand. Changed, calls under way are lost.
    hotline_key: str = ""
    # Password of each service's PostgreSQL role.
    database: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def generated(cls) -> PlatformSecrets:
        return cls(master_key=_key())

    def completed(self, services: Iterable[str]) -> PlatformSecrets:
        """The same with every key, and a password for each of `services`: a home may be older than they."""
        passwords = {name: _password() for name in services} | self.database
        keys = {name: getattr(self, name) or _key() for name in ("certificate_key", "hotline_key", "log_key")}
        return self.model_copy(update={"database": passwords, **keys})


def open_secrets(path: Path, services: Iterable[str]) -> PlatformSecrets:
    """The secrets in `path`; what is missing is generated and written before it is used."""
    known = PlatformSecrets.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None
    complete = (known or PlatformSecrets.generated()).completed(services)
    if complete != known:
        write_atomically(path, complete.model_dump_json(indent=2) + "\n")
    return complete


def _key() -> str:
    return base64.b64encode(randomness.token_bytes(KEY_BYTES)).decode()


def _password() -> str:
    return randomness.token_urlsafe(PASSWORD_BYTES)
