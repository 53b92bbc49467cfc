"""Calls to another service: deadline, identity, language and trace go along; faults come back as they were raised."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import grpc
import grpc.aio
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit.errors import Fault
from servicekit.identity.call import current_call
from servicekit.languages import Language
from servicekit.rpc.carrier import Carrier
from servicekit.rpc.limits import MOST_MESSAGE_BYTES
from servicekit.rpc.status import from_rpc_error

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")
TokenSource = Callable[[], str]
Metadata = Sequence[tuple[str, str]]

DEFAULT_SECONDS: Final = 10.0
# Kept back from the time of the call being served, for its own answer.
MARGIN_SECONDS: Final = 0.03
# Waits before the second and third attempt.
BACK_OFF_SECONDS: Final = (0.05, 0.25)
# By our naming of methods; a test holds the contracts to it.
READING: Final = ("Get", "List", "Find")

_OPTIONS: Final[Sequence[tuple[str, int | str]]] = (
    # A service that comes back is found at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Only we know what may be repeated.
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
)
# The service can't be reached, or ended while it served the call.
_GONE: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Channel:
    """A lasting connection to the service at `target` (`host:port` or `dns:///name:port`).

    Hand it to a generated stub: `CaseServiceStub(channel)`. Its calls raise Fault, never gRPC's own errors. Without a
    `token_source` the token of the call being served is passed on; the same goes for the language. Build it anywhere:
    it connects with the first call. With `together`, calls that are made in one moment travel in one message: for
    callers that serve many at once.
    """

    def __init__(
        self,
        target: str,
        token_source: TokenSource | None = None,
        *,
        language: Language | None = None,
        together: bool = False,
    ) -> None:
        self._target = target
        self._token_source = token_source
        self._language = language
        self._together = together

    @cached_property
    def _connection(self) -> grpc.aio.Channel | Carrier:
        channel = grpc.aio.insecure_channel(self._target, options=_OPTIONS)
        return Carrier(channel) if self._together else channel

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        _registered_method: bool = False,  # noqa: FBT001, FBT002 -- gRPC's own signature
    ) -> UnaryCall[Any, Any]:
        """What a generated stub asks for, one a method."""
        connect = lambda: self._connection.unary_unary(method, request_serializer, response_deserializer)  # noqa: E731
        return UnaryCall(method, connect, self._metadata)

    async def close(self) -> None:
        """Lets go of the connection; calls on their way end as cancelled."""
        connection = self.__dict__.get("_connection")
        if connection is not None:
            await connection.close()

    def _metadata(self, given: Metadata) -> list[tuple[str, str]]:
        metadata = dict(given)
        call = current_call()
        authorization = f"Bearer {self._token_source()}" if self._token_source else call.authorization if call else ""
        if authorization:
            metadata.setdefault("authorization", authorization)
        language = self._language or (call.language if call else None)
        if language:
            metadata.setdefault("accept-language", language)
        _PROPAGATOR.inject(metadata)
        return list(metadata.items())


class UnaryCall(Generic[RequestT, ResponseT]):
    """One method of a stub."""

    def __init__(
        self,
        method: str,
        connect: Callable[[], Callable[..., Any]],
        metadata: Callable[[Metadata], list[tuple[str, str]]],
    ) -> None:
        self._connect = connect
        self._metadata = metadata
        self._reads = method.rpartition("/")[2].startswith(READING)

    @cached_property
    def _call(self) -> Callable[..., Any]:
        return self._connect()

    async def __call__(
        self,
        request: RequestT,
        *,
        timeout: float = DEFAULT_SECONDS,  # noqa: ASYNC109 -- the signature of gRPC's own calls
        metadata: Metadata = (),
    ) -> ResponseT:
        """The answer within `timeout` seconds and within the time of the call being served.

        Raises the Fault that the other service raised; `unavailable` when it can't be reached, after trying again where
        a second call does no harm; `deadline_too_short` when there is no time left to ask.
        """
        deadline = _deadline(timeout)
        sent = self._metadata(metadata)
        for pause in (*BACK_OFF_SECONDS, None):
            try:
                left = _told(deadline - time.monotonic())
                response: ResponseT = await self._call(request, timeout=left, metadata=sent)
            except grpc.aio.AioRpcError as error:
                again = error.code() in _GONE and self._repeatable(request)
                if pause is None or not again or time.monotonic() + pause > deadline:
                    raise from_rpc_error(error) from None
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads callers, guards nothing
            else:
                return response
        raise AssertionError("unreachable: the last attempt answers or raises")

    def _repeatable(self, request: RequestT) -> bool:
        return self._reads or bool(getattr(request, "idempotency_key", ""))


def _deadline(timeout: float) -> float:
    """On the clock of time.monotonic(). Raises Fault deadline_too_short."""
    now = time.monotonic()
    call = current_call()
    if call is None:
        return now + timeout
    deadline = min(now + timeout, call.deadline - MARGIN_SECONDS)
    if deadline <= now:
        raise Fault("deadline_too_short")
    return deadline


def _told(seconds: float) -> float:
    """A little less than `seconds`: gRPC tells the other side whole steps, the next one up, and nobody may believe that
    it has longer than its caller waits."""
    step = 0.001 if seconds < 1 else 0.01 if seconds < 10 else 0.1 if seconds < 100 else 1.0  # noqa: PLR2004 -- gRPC's
    return max((seconds // step - 0.5) * step, 0.0)
