"""Calls of one moment to one service travel in one message, and so do their answers (decision 16).

A call of its own costs gRPC several times what most methods do with it. Nobody waits for companions: those travel
together that are made in the same turn of the event loop, which under load are many, and otherwise none.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import grpc.aio
import structlog
from bihuan.platform.v1 import calls_pb2
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]

from servicekit.rpc.limits import MOST_CALLS_TOGETHER, MOST_CARRIED_BYTES
from servicekit.rpc.status import to_rpc_error
from servicekit.tasks import end

_SERVE_CALLS: Final = "/bihuan.platform.v1.CallService/ServeCalls"
_OUT_OF_TIME: Final = status_pb2.Status(code=code_pb2.DEADLINE_EXCEEDED, message="the time of this call is over")
_NOT_ANSWERED: Final = status_pb2.Status(code=code_pb2.INTERNAL, message="the service has left this call out")

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Passenger:
    call: calls_pb2.CarriedCall
    # On the clock of time.monotonic().
    deadline: float
    # The serialized answer; None when it is to travel alone.
    answer: asyncio.Future[bytes | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Carrier:
    """A gRPC channel whose unary calls travel together where they can; for the rest they are the channel's own."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._serve_calls = channel.unary_stream(
            _SERVE_CALLS, calls_pb2.ServeCallsRequest.SerializeToString, calls_pb2.ServeCallsResponse.FromString
        )
        self._waiting: list[_Passenger] = []
        self._journeys: set[asyncio.Task[None]] = set()

    def unary_unary(
        self, method: str, request_serializer: Callable[[Any], bytes], response_deserializer: Callable[[bytes], Any]
    ) -> Callable[..., Awaitable[Any]]:
        """One method, called as the channel's own is."""
        alone = self._channel.unary_unary(method, request_serializer, response_deserializer)

        async def call(request: Any, *, timeout: float, metadata: Sequence[tuple[str, str]]) -> Any:  # noqa: ASYNC109
            deadline = time.monotonic() + timeout
            carried = calls_pb2.CarriedCall(
                method=method,
                request=request_serializer(request),
                metadata=dict(metadata),
                timeout_milliseconds=max(1, math.floor(timeout * 1000)),
            )
            if carried.ByteSize() <= MOST_CARRIED_BYTES:
                answer = await self._join(_Passenger(carried, deadline))
                if answer is not None:
                    return response_deserializer(answer)
            return await alone(request, timeout=deadline - time.monotonic(), metadata=metadata)

        return call

    async def close(self) -> None:
        """Lets go of the connection; calls on their way end as cancelled."""
        for passenger in self._waiting:
            passenger.answer.cancel()
        await end(self._journeys)
        await self._channel.close()

    async def _join(self, passenger: _Passenger) -> bytes | None:
        """The serialized answer; None when the call has to travel alone and was not made. Raises as it would alone."""
        self._waiting.append(passenger)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._depart)
        try:
            async with asyncio.timeout(passenger.deadline - time.monotonic()) as limit:
                return await passenger.answer
        except TimeoutError:
            if limit.expired():
                raise to_rpc_error(_OUT_OF_TIME) from None
            raise
        finally:
            # A failure knows this frame, which must not know the failure: who fails under load must not wait for the
            # garbage collector.
            del passenger

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, []
        # Whoever gave up meanwhile is not asked for.
        passengers = [passenger for passenger in waiting if not passenger.answer.done()]
        if len(passengers) == 1:
            _send_alone(passengers)
            return
        for start in range(0, len(passengers), MOST_CALLS_TOGETHER):
            journey = asyncio.create_task(self._travel(passengers[start : start + MOST_CALLS_TOGETHER]))
            self._journeys.add(journey)
            journey.add_done_callback(self._journeys.discard)

    async def _travel(self, passengers: list[_Passenger]) -> None:
        request = calls_pb2.ServeCallsRequest(calls=[passenger.call for passenger in passengers])
        latest = max(passenger.deadline for passenger in passengers)
        try:
            async for response in self._serve_calls(request, timeout=latest - time.monotonic()):
                for answer in response.answers:
                    _arrive(passengers[answer.call].answer, answer)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                # A service that is older than we are, for as long as an update takes. It has done nothing.
                _send_alone(passengers)
            _fail(passengers, status_pb2.Status(code=error.code().value[0], message=error.details()))
        except Exception:  # an answer that this version can't make out; callers know faults only
            log.exception("calls_not_answered", calls=len(passengers))
            _fail(passengers, _NOT_ANSWERED)
        else:
            _fail(passengers, _NOT_ANSWERED)
        finally:
            # Only left when this task was cancelled.
            for passenger in passengers:
                passenger.answer.cancel()


def _fail(passengers: Sequence[_Passenger], status: status_pb2.Status) -> None:
    for passenger in passengers:
        if not passenger.answer.done():
            passenger.answer.set_exception(to_rpc_error(status))


def _send_alone(passengers: Sequence[_Passenger]) -> None:
    for passenger in passengers:
        if not passenger.answer.done():
            passenger.answer.set_result(None)


def _arrive(waiting: asyncio.Future[bytes | None], answer: calls_pb2.CarriedAnswer) -> None:
    if waiting.done():
        return
    match answer.WhichOneof("outcome"):
        case "response":
            waiting.set_result(answer.response)
        case "failure":
            waiting.set_exception(to_rpc_error(answer.failure))
