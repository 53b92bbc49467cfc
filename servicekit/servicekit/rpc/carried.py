"""Calls that came together are served side by side, each as if it had come alone (decision 16)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import grpc.aio
from bihuan.platform.v1 import calls_pb2, calls_pb2_grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]

from servicekit.errors import Fault
from servicekit.rpc.interceptors.chain import Arrival, GuardedMethod
from servicekit.rpc.interceptors.errors import as_fault
from servicekit.rpc.limits import MOST_CALLS_TOGETHER, MOST_MESSAGE_BYTES, MOST_SHARED_BYTES
from servicekit.rpc.status import to_grpc_status, to_status

Context = grpc.aio.ServicerContext[Any, Any]

_TOO_LARGE: Final = status_pb2.Status(
    code=code_pb2.RESOURCE_EXHAUSTED, message=f"the answer has more than {MOST_MESSAGE_BYTES} bytes"
)
# Of a message around its only answer.
_FRAME_BYTES: Final = 16


class CarriedCalls(calls_pb2_grpc.CallServiceServicer):
    """Hands each call to its method, and answers as soon as any of them is ready."""

    def __init__(self, methods: Mapping[str, GuardedMethod]) -> None:
        """`methods` by the path that gRPC calls them with."""
        self._methods = methods

    async def ServeCalls(self, request: calls_pb2.ServeCallsRequest, context: Context) -> None:
        arrived = time.monotonic()
        if len(request.calls) > MOST_CALLS_TOGETHER:
            await context.abort_with_status(to_grpc_status(Fault("invalid_argument", field="calls")))
        ready: asyncio.Queue[calls_pb2.CarriedAnswer] = asyncio.Queue()

        async def serve(place: int, call: calls_pb2.CarriedCall) -> None:
            answer = await self._answer(place, call, arrived, context)
            if answer.ByteSize() + _FRAME_BYTES > MOST_MESSAGE_BYTES:
                # The caller would refuse the message, and with it all that are still to come.
                answer = calls_pb2.CarriedAnswer(call=place, failure=_TOO_LARGE)
            ready.put_nowait(answer)

        # When the caller goes or this server ends, all of them end.
        async with asyncio.TaskGroup() as group:
            for place, call in enumerate(request.calls):
                group.create_task(serve(place, call))
            waiting = len(request.calls)
            while waiting:
                answers = [await ready.get(), *(ready.get_nowait() for _ in range(ready.qsize()))]
                waiting -= len(answers)
                for message in _messages_of(answers):
                    await context.write(message)

    async def _answer(
        self, place: int, call: calls_pb2.CarriedCall, arrived: float, context: Context
    ) -> calls_pb2.CarriedAnswer:
        try:
            method = self._methods.get(call.method)
            if method is None:
                raise Fault("method_unknown")
            left = arrived + call.timeout_milliseconds / 1000 - time.monotonic()
            arrival = Arrival(dict(call.metadata), left if call.timeout_milliseconds else None, watched=False)
            response = await method.serve(_read(method, call.request), arrival, context)
            return calls_pb2.CarriedAnswer(call=place, response=method.write(response))
        except Exception as error:  # of one call, which must not end the others
            return calls_pb2.CarriedAnswer(call=place, failure=to_status(as_fault(error, call.method)))


def _read(method: GuardedMethod, request: bytes) -> Message:
    try:
        return method.read(request)
    except DecodeError:
        # Not a defect of ours, and nobody's yet: no token has been looked at.
        raise Fault("invalid_argument", field="request") from None


def _messages_of(answers: Iterable[calls_pb2.CarriedAnswer]) -> Iterator[calls_pb2.ServeCallsResponse]:
    message, size = calls_pb2.ServeCallsResponse(), 0
    for answer in answers:
        size += answer.ByteSize()
        if message.answers and size > MOST_SHARED_BYTES:
            yield message
            message, size = calls_pb2.ServeCallsResponse(), answer.ByteSize()
        message.answers.append(answer)
    yield message
