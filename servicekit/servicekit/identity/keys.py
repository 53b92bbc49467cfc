"""The issuer's public keys: read from a file or fetched, kept, and renewed when a token names an unknown one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Final

import structlog
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from servicekit.errors import Fault

# A key that the issuer has withdrawn is trusted for this long at most.
RENEW_AFTER_SECONDS: Final = 600.0
# Tokens with invented key ids must not make us ask the issuer all the time.
LEAST_SECONDS_BETWEEN: Final = 5.0
FETCH_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


class KeySet:
    """Public keys by key id, from `source`: a file path or an http(s) URL (RFC 7517)."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._keys: dict[str | None, PyJWK] = {}
        self._read_at = -float("inf")
        self._tried_at = -float("inf")
        self._reading = asyncio.Lock()

    async def key(self, key_id: str | None) -> PyJWK:
        """The key with this id; without an id the only key there is.

        Raises Fault token_invalid for an unknown key, unavailable while no keys could be read at all.
        """
        key = self._known(key_id)
        if key is None or time.monotonic() - self._read_at > RENEW_AFTER_SECONDS:
            await self._renew()
            key = self._known(key_id)
        if key is not None:
            return key
        raise Fault("token_invalid" if self._keys else "unavailable")

    def _known(self, key_id: str | None) -> PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _renew(self) -> None:
        async with self._reading:
            if time.monotonic() - self._tried_at < LEAST_SECONDS_BETWEEN:
                return
            self._tried_at = time.monotonic()
            try:
                document = await self._read()
                self._keys = {key.key_id: key for key in PyJWKSet.from_json(document).keys}
            except (OSError, ValueError, AttributeError, PyJWTError) as wrong:  # AttributeError: JSON, but no object
                # Keys known so far go on being trusted: an issuer that is away must not stop the platform.
                _log.warning("keys_unreadable", source=self._source, reason=str(wrong), known=len(self._keys))
                return
            self._read_at = time.monotonic()

    async def _read(self) -> str:
        if self._source.startswith(("https://", "http://")):
            return await _fetch(self._source)
        return await asyncio.to_thread(Path(self._source).read_text, encoding="utf-8")


async def _fetch(url: str) -> str:
    """The document at `url`. Raises OSError when it can't be had."""
    import httpx  # noqa: PLC0415 -- costs 0.1 s at start and is not needed where the keys are in a file

    try:
        async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client:
            answer = await client.get(url)
            answer.raise_for_status()
    except httpx.HTTPError as wrong:
        raise OSError(f"{url}: {wrong}") from wrong
    json.loads(answer.text)
    return answer.text
