"""One span and one duration for every served call; the caller's trace goes on here (TRC-01, TRC-02)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit.errors import Fault
from servicekit.telemetry import names

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_EMPTY: Final = otel_context.Context()
# Faults that are ours to mend; the rest is the caller's affair and no error of this service.
_OUR_FAULTS: Final = frozenset({"INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"})


class CallTelemetry:
    """Spans and metrics of the calls that a server serves."""

    def __init__(self) -> None:
        self.tracer = trace.get_tracer("servicekit.rpc")
        self.duration = metrics.get_meter("servicekit.rpc").create_histogram(
            names.RPC_DURATION,
            unit="s",
            description="Duration of served gRPC calls.",
            # The semantic conventions' boundaries; the SDK's own are for milliseconds.
            explicit_bucket_boundaries_advisory=(
                0.005,
                0.01,
                0.025,
                0.05,
                0.075,
                0.1,
                0.25,
                0.5,
                0.75,
                1,
                2.5,
                5,
                7.5,
                10,
            ),
        )

    def observe(self, method: str, metadata: Mapping[str, str]) -> ObservedCall:
        """Watches over the call made in its `with` block."""
        return ObservedCall(self, method, metadata)


class ObservedCall:
    """A call while it is served."""

    __slots__ = ("_method", "_parent", "_span", "_started", "_telemetry", "_token", "error_type", "status")

    def __init__(self, telemetry: CallTelemetry, method: str, metadata: Mapping[str, str]) -> None:
        self._telemetry = telemetry
        self._method = method
        self._parent = _PROPAGATOR.extract(metadata, _EMPTY) if "traceparent" in metadata else _EMPTY
        self.status = "OK"
        self.error_type = ""

    def failed(self, fault: Fault) -> None:
        self.status = fault.definition.grpc_status
        self.error_type = fault.code

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._span = self._telemetry.tracer.start_span(
            self._method, self._parent, SpanKind.SERVER, {names.RPC_SYSTEM: "grpc", names.RPC_METHOD: self._method}
        )
        self._token = otel_context.attach(trace.set_span_in_context(self._span, self._parent))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and self.status == "OK":
            # Nothing but a cancellation gets past the error step.
            self.status, self.error_type = "CANCELLED", "cancelled"
        labels = {names.RPC_METHOD: self._method, names.RPC_STATUS: self.status}
        if self.error_type:
            labels[names.ERROR_TYPE] = self.error_type
        self._telemetry.duration.record(time.perf_counter() - self._started, labels)
        if self._span.is_recording():
            self._span.set_attributes(labels)
            if self.status in _OUR_FAULTS:
                self._span.set_status(Status(StatusCode.ERROR, self.error_type))
        self._span.end()
        otel_context.detach(self._token)
