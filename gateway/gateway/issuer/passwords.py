"""Passwords and client secrets: generated, kept as scrypt hashes, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

# RFC 7914's cost for interactive sign-in: 16 MiB and some 40 ms on one core.
_COST: Final = 2**14
_BLOCK: Final = 8
_PARALLEL: Final = 1
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_SCHEME: Final = "scrypt"


def generate_password() -> str:
    """A password of 96 random bits that can be typed."""
    return secrets.token_urlsafe(12)


def hash_password(password: str) -> str:
    """The form in which a password is stored: scheme, cost, salt and hash."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    numbers = f"{_COST}${_BLOCK}${_PARALLEL}"
    return f"{_SCHEME}${numbers}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(password: str, stored: str) -> bool:
    """Whether `password` is the one behind `stored`. Raises ValueError when `stored` is not of our form."""
    scheme, cost, block, parallel, salt, digest = stored.split("$")
    if scheme != _SCHEME:
        raise ValueError(f"passwords are stored as {_SCHEME}, not {scheme}")
    found = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    # The library's default limit is just below what these parameters need.
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=cost,
        r=block,
        p=parallel,
        maxmem=256 * cost * block,
        dklen=_HASH_BYTES,
    )
