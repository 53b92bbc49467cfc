"""Page tokens: where a list goes on, by the key of the last row seen."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

from servicekit.errors import Fault

_CHECK_BYTES: Final = 6
_READERS: Final[dict[str, Callable[[str], Any]]] = {"u": UUID, "t": datetime.fromisoformat}


def narrowed(listing: str, request: Message) -> str:
    """The listing as this request narrows it: with other filters it is another one."""
    filters = type(request)()
    filters.CopyFrom(request)
    for name in ("page_size", "page_token"):
        filters.ClearField(name)
    return f"{listing} {filters.SerializeToString(deterministic=True).hex()}"


class PageToken:
    """The key tuple of the last row of a page, as opaque text.

    A check sum over list and key finds tokens that were changed, shortened, or taken from another list. It is neither
    secret nor a permission: whoever forges one gets only rows that the same call could list for them anyway.
    """

    @staticmethod
    def encode(listing: str, *key: str | int | UUID | datetime) -> str:
        """The token of `listing` (its name, and what narrows it) for the page after `key`."""
        content = json.dumps([_written(part) for part in key], ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(_check(listing, content) + content).rstrip(b"=").decode("ascii")

    @staticmethod
    def decode(listing: str, token: str) -> tuple[Any, ...] | None:
        """The key that `encode` was given, with its types; None for the empty token, which is the first page.

        Raises Fault page_token_invalid.
        """
        if not token:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Fault("page_token_invalid", field="page_token") from None
        check, content = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check != _check(listing, content) or not content:
            raise Fault("page_token_invalid", field="page_token")
        try:
            return tuple(_read(part) for part in json.loads(content))
        except (LookupError, TypeError, ValueError):  # the check sum is no secret, so this was made by hand
            raise Fault("page_token_invalid", field="page_token") from None


def _check(listing: str, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES, key=hashlib.sha256(listing.encode()).digest()).digest()


def _written(part: str | int | UUID | datetime) -> str | int | dict[str, str]:
    if isinstance(part, UUID):
        return {"u": part.hex}
    if isinstance(part, datetime):
        return {"t": part.isoformat()}
    return part


def _read(part: Any) -> Any:
    if isinstance(part, dict):
        ((kind, text),) = part.items()
        return _READERS[kind](text)
    return part
