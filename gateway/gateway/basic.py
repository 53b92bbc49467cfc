"""Credentials in the header of HTTP Basic (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus


def is_basic(authorization: str) -> bool:
    return authorization.partition(" ")[0].lower() == "basic"


def credentials_of(authorization: str) -> tuple[str, str]:
    """Name and secret, each decoded as RFC 6749 §2.3.1 has clients encode them. Raises ValueError when unreadable."""
    encoded = authorization.partition(" ")[2]
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("the Basic credentials are not readable") from None
    return unquote_plus(name), unquote_plus(secret)
