"""The way of every call through the steps: telemetry, budget, errors, access, validation, use case.

The steps run in one wrapper around each method rather than as nested gRPC interceptors: those cost several times as
much per call, and a method's access rule and validation can be looked up once, when the server is built.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from servicekit.errors import Fault
from servicekit.identity.access import AccessRule
from servicekit.identity.call import Call, serve_call
from servicekit.languages import DEFAULT_LANGUAGE, negotiate
from servicekit.rpc.interceptors.access import Verifier, admit
from servicekit.rpc.interceptors.budget import Budget
from servicekit.rpc.interceptors.errors import as_fault
from servicekit.rpc.interceptors.telemetry import CallTelemetry
from servicekit.rpc.interceptors.validation import Validation
from servicekit.rpc.status import to_grpc_status

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Message, Context], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a call has come."""

    metadata: Mapping[str, Any]
    # Seconds that its caller waits from now on; None where they don't say.
    seconds: float | None
    # gRPC itself ends the call when they are over.
    watched: bool


@dataclass(frozen=True, slots=True)
class GuardedMethod:
    """A method behind all steps."""

    # Raises nothing but Fault and cancellation.
    serve: Callable[[Message, Arrival, Context], Awaitable[Message]]
    read: Callable[[bytes], Message]
    write: Callable[[Message], bytes]

    def handler(self) -> grpc.RpcMethodHandler[Any, Any]:
        """For calls that come each by itself."""
        serve = self.serve

        async def serve_alone(request: Message, context: Context) -> Message:
            left = context.time_remaining()
            arrival = Arrival(dict(context.invocation_metadata() or ()), left, watched=left is not None)
            try:
                return await serve(request, arrival, context)
            except Fault as fault:
                told = fault
            return await context.abort_with_status(to_grpc_status(told))

        return grpc.unary_unary_rpc_method_handler(
            serve_alone, request_deserializer=self.read, response_serializer=self.write
        )


class CallChain:
    """Guards the methods of servicers with all steps."""

    def __init__(self, tokens: Verifier, budget: Budget) -> None:
        self._tokens = tokens
        self._budget = budget
        self._telemetry = CallTelemetry()
        self._validation = Validation()

    def guard(self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]) -> dict[str, GuardedMethod]:
        """The methods of `service` (full name), each behind the steps. Raises TypeError for a streaming method."""
        methods = descriptor_pool.Default().FindServiceByName(service).methods_by_name
        return {name: self._guarded(methods[name], handler) for name, handler in handlers.items()}

    def _guarded(self, method: MethodDescriptor, handler: grpc.RpcMethodHandler[Any, Any]) -> GuardedMethod:
        if handler.unary_unary is None:
            raise TypeError(f"{method.full_name}: only unary methods can be served")
        request_class = message_factory.GetMessageClass(method.input_type)
        self._validation.warm_up(request_class)
        serve = self._serve(method, cast("Behaviour", handler.unary_unary))
        return GuardedMethod(serve, request_class.FromString, lambda response: response.SerializeToString())

    def _serve(
        self, method: MethodDescriptor, behaviour: Behaviour
    ) -> Callable[[Message, Arrival, Context], Awaitable[Message]]:
        name = f"{method.containing_service.full_name}/{method.name}"
        rule = AccessRule.of(method)

        async def attend(request: Message, call: Call, metadata: Mapping[str, Any], context: Context) -> Message:
            call.principal = await admit(call.authorization, rule, self._tokens)
            if call.principal and call.principal.language and "accept-language" not in metadata:
                call.language = call.principal.language
            self._validation.require_valid(request, call.language)
            return await behaviour(request, context)

        async def serve(request: Message, arrival: Arrival, context: Context) -> Message:
            metadata = arrival.metadata
            with self._telemetry.observe(name, metadata) as observed:
                try:
                    left = self._budget.left(arrival.seconds)
                    call = Call(
                        name,
                        negotiate(metadata.get("accept-language", "")) or DEFAULT_LANGUAGE,
                        time.monotonic() + left,
                        metadata.get("authorization", ""),
                    )
                    serve_call(call)
                    attending = attend(request, call, metadata, context)
                    return await (attending if arrival.watched else _in_time(attending, left))
                except Exception as error:
                    # Nothing may leave the service but a fault.
                    fault = as_fault(error, name)
                observed.failed(fault)
                raise fault

        return serve


async def _in_time(working: Awaitable[Message], seconds: float) -> Message:
    """What `working` gives. Raises Fault deadline_exceeded when it takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await working
    except TimeoutError:
        if limit.expired():
            raise Fault("deadline_exceeded") from None
        raise
