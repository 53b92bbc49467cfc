"""The gRPC server of a service: guarded methods, health, reflection, graceful drain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import grpc
import grpc.aio
from bihuan.platform.v1 import calls_pb2, calls_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from servicekit.rpc.carried import CarriedCalls
from servicekit.rpc.health import Health, Ready
from servicekit.rpc.interceptors.access import Verifier
from servicekit.rpc.interceptors.budget import Budget
from servicekit.rpc.interceptors.chain import CallChain, GuardedMethod
from servicekit.rpc.limits import MOST_MESSAGE_BYTES

Servicer = tuple[Callable[[Any, Any], None], Any]
"""A generated function such as `add_CaseServiceServicer_to_server`, and the servicer to add."""

_OPTIONS: Final[Sequence[tuple[str, int]]] = (
    # Two processes on one port would each get half of the calls without anybody noticing.
    ("grpc.so_reuseport", 0),
    # Callers may ask every 10 s whether a silent connection still lives.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    # Callers look the name up again when a connection ends: so they find replicas that were added since.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
)


class Server:
    """Serves `servicers` on `listen` (`host:port`; port 0 takes a free one).

    `tokens` verifies who calls, `is_ready` tells health whether the service can work. Build it anywhere; `start` needs
    the running loop.
    """

    def __init__(
        self,
        listen: str,
        servicers: Iterable[Servicer],
        *,
        tokens: Verifier,
        is_ready: Ready,
        budget: Budget = Budget(),  # noqa: B008 -- immutable
    ) -> None:
        self._listen = listen
        self._registrations = _Registrations(CallChain(tokens, budget))
        for add, servicer in servicers:
            add(servicer, self._registrations)
        self._health = Health(is_ready)
        self._server: grpc.aio.Server | None = None
        self.address = ""
        """`host:port` that is really served, known after `start`."""

    async def start(self) -> int:
        """Begins to serve and gives the port. Raises OSError when the address can't be had."""
        server = grpc.aio.server(options=_OPTIONS)
        server.add_generic_rpc_handlers(tuple(self._registrations.handlers))
        carried = CarriedCalls(self._registrations.methods)
        calls_pb2_grpc.add_CallServiceServicer_to_server(carried, server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        own = [
            *self._registrations.services,
            calls_pb2.DESCRIPTOR.services_by_name["CallService"].full_name,
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        ]
        reflection.enable_server_reflection([*own, reflection.SERVICE_NAME], server)
        try:
            port = server.add_insecure_port(self._listen)
        except RuntimeError as refused:
            raise OSError(f"can't serve gRPC on {self._listen}: {refused}") from refused
        await server.start()
        host, _, _ = self._listen.rpartition(":")
        self.address = f"{host}:{port}"
        self._server = server
        return port

    async def stop(self, drain_seconds: float) -> None:
        """Takes no new calls, lets running ones end for `drain_seconds`, then cancels the rest."""
        self._health.drain()
        if self._server is not None:
            await self._server.stop(drain_seconds)
            self._server = None


class _Registrations:
    """Stands in for the server in the generated `add_…_to_server` functions and puts the guarded methods aside."""

    def __init__(self, chain: CallChain) -> None:
        self._chain = chain
        self.services: list[str] = []
        self.handlers: list[grpc.GenericRpcHandler] = []
        # By the path that gRPC calls them with.
        self.methods: dict[str, GuardedMethod] = {}

    def add_generic_rpc_handlers(self, _handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """The generated code offers the same methods twice; the other way is the one with their names."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        guarded = self._chain.guard(service, handlers)
        alone = {name: method.handler() for name, method in guarded.items()}
        self.services.append(service)
        self.handlers.append(grpc.method_handlers_generic_handler(service, alone))
        self.methods.update({f"/{service}/{name}": method for name, method in guarded.items()})
