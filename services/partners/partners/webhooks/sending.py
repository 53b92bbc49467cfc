"""Sending one webhook: to an address that was looked at, within limits, following nobody elsewhere."""

import asyncio
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from partners.webhooks.addresses import Destinations, RefusedAddressError

# Of an answer nothing is kept; a receiver that goes on talking is cut short.
_MOST_ANSWER_BYTES = 64 * 1024
_MOST_CONNECTIONS = 64
_SUCCESS = range(200, 300)

# Why an attempt failed.
ADDRESS_REFUSED = "address_refused"
UNREACHABLE = "unreachable"
TIMEOUT = "timeout"
STATUS = "status"
NOT_SIGNED = "not_signed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `status` is 0 without an answer; `failure` is empty for success."""

    status: int
    failure: str
    milliseconds: int

    @property
    def succeeded(self) -> bool:
        return not self.failure


class WebhookSender:
    """Sends by HTTP/1.1. No redirects, no proxies, no cookies; certificates are verified for the host of the URL."""

    def __init__(self, destinations: Destinations, seconds: float) -> None:
        """`seconds`: how long one attempt may take altogether."""
        self._seconds = seconds
        # The addresses were checked when the connection was made, so a kept one is as good as a new one.
        self._pools = {
            encrypted: httpcore.AsyncConnectionPool(
                ssl_context=ssl.create_default_context() if encrypted else None,
                max_connections=_MOST_CONNECTIONS,
                keepalive_expiry=5.0,
                network_backend=_CheckedNetwork(destinations, encrypted=encrypted),
            )
            for encrypted in (True, False)
        }

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Raises nothing but cancellation."""
        begun = time.monotonic()
        status, failure = 0, ""
        try:
            async with asyncio.timeout(self._seconds):
                status = await self._post(url, headers, body)
        except RefusedAddressError:
            failure = ADDRESS_REFUSED
        except (TimeoutError, httpcore.TimeoutException):
            failure = TIMEOUT
        except (OSError, UnicodeError, ValueError, httpcore.NetworkError, httpcore.ProtocolError):
            failure = UNREACHABLE
        if not failure and status not in _SUCCESS:
            failure = STATUS
        return Outcome(status, failure, round((time.monotonic() - begun) * 1000))

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        pool = self._pools[url.startswith("https://")]
        sent = [*headers.items(), ("user-agent", "bihuan-webhooks/1"), ("content-length", str(len(body)))]
        async with pool.stream("POST", url, headers=sent, content=body) as answer:
            read = 0
            async for part in answer.aiter_stream():
                read += len(part)
                if read > _MOST_ANSWER_BYTES:
                    break
            return int(answer.status)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Asks the name service once, and connects to an address that may be reached, or not at all."""

    def __init__(self, destinations: Destinations, *, encrypted: bool) -> None:
        self._destinations = destinations
        self._encrypted = encrypted
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._destinations.resolve(host, port, encrypted=self._encrypted)
        failure: httpcore.NetworkError | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore.ConnectError as unreachable:
                failure = unreachable
        raise failure or httpcore.ConnectError(host)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
