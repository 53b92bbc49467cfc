"""Calls that came together are served side by side, each as if it had come alone (decision 16)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import grpc.aio
from bihuan.platform.v1 import calls_pb2, calls_pb2_grpc

from servicekit.errors import Fault
from servicekit.rpc.interceptors.chain import Arrival, GuardedMethod
from servicekit.rpc.interceptors.errors import as_fault
from servicekit.rpc.status import to_status

Context = grpc.aio.ServicerContext[Any, Any]

# Answers that are ready in one moment share a message up to here. A larger one has its own.
_MOST_BYTES: Final = 1024 * 1024


class CarriedCalls(calls_pb2_grpc.CallServiceServicer):
    """Hands each call to its method, and answers as soon as any of them is ready."""

    def __init__(self, methods: Mapping[str, GuardedMethod]) -> None:
        """`methods` by the path that gRPC calls them with."""
        self._methods = methods

    async def ServeCalls(self, request: calls_pb2.ServeCallsRequest, context: Context) -> None:
        ready: asyncio.Queue[calls_pb2.CarriedAnswer] = asyncio.Queue()

        async def serve(place: int, call: calls_pb2.CarriedCall) -> None:
            ready.put_nowait(await self._answer(place, call, context))

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

    async def _answer(self, place: int, call: calls_pb2.CarriedCall, context: Context) -> calls_pb2.CarriedAnswer:
        try:
            method = self._methods.get(call.method)
            if method is None:
                raise Fault("method_unknown")
            seconds = call.timeout_milliseconds / 1000 if call.timeout_milliseconds else None
            arrival = Arrival(dict(call.metadata), seconds, watched=False)
            response = await method.serve(method.read(call.request), arrival, context)
            return calls_pb2.CarriedAnswer(call=place, response=method.write(response))
        except Exception as error:
            # One that can't even be read must not end the others.
            return calls_pb2.CarriedAnswer(call=place, failure=to_status(as_fault(error, call.method)))


def _messages_of(answers: Iterable[calls_pb2.CarriedAnswer]) -> Iterator[calls_pb2.ServeCallsResponse]:
    message, size = calls_pb2.ServeCallsResponse(), 0
    for answer in answers:
        size += answer.ByteSize()
        if message.answers and size > _MOST_BYTES:
            yield message
            message, size = calls_pb2.ServeCallsResponse(), answer.ByteSize()
        message.answers.append(answer)
    yield message
