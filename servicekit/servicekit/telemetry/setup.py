"""Switches telemetry on for a process. Nothing is imported that the settings don't ask for: start-up time counts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics, trace

from servicekit.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

    from servicekit.settings import ProcessSettings

NAMESPACE: Final = "bihuan"
# OpenTelemetry's own variables: where an OTLP collector is.
_OTLP: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_OTLP_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_OTLP_METRICS: Final = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
# `bihuan trace` shall show what happened just now.
_EXPORT_EVERY_MS: Final = 500


def setup(service: str, settings: ProcessSettings) -> None:
    """Logs, traces and metrics of `service`, once per process.

    Spans go to the local span store when `span_store` is set, and to an OTLP collector when one is named by the
    standard variables; metrics go to the collector only. Without both, spans are not recorded at all.
    """
    configure_logs(service, settings.log_format, settings.log_level)
    _set_up_traces(service, settings.span_store, settings.trace_ratio)
    _set_up_metrics(service)


def shutdown() -> None:
    """Sends what is still waiting. Call it last."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        end = getattr(provider, "shutdown", None)  # the API's own providers have nothing to end
        if end is not None:
            end()


def _set_up_traces(service: str, span_store: Path | None, ratio: float) -> None:
    exporters = _span_exporters(span_store)
    if not exporters:
        return
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    from servicekit.telemetry.lifecycle import LifecycleIds, LifecycleSampler  # noqa: PLC0415
    from servicekit.telemetry.sampling import WorkSampler  # noqa: PLC0415

    provider = TracerProvider(
        sampler=LifecycleSampler(ParentBased(WorkSampler(TraceIdRatioBased(ratio)))),
        id_generator=LifecycleIds(),
        resource=_resource(service),
    )
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_EXPORT_EVERY_MS))
    trace.set_tracer_provider(provider)


def _span_exporters(span_store: Path | None) -> list[SpanExporter]:
    exporters: list[SpanExporter] = []
    if span_store is not None:
        from servicekit.telemetry.spanexporter import SpanStoreExporter  # noqa: PLC0415
        from servicekit.telemetry.spanstore import SpanStore  # noqa: PLC0415

        exporters.append(SpanStoreExporter(SpanStore(span_store)))
    if os.environ.get(_OTLP) or os.environ.get(_OTLP_TRACES):
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        exporters.append(OTLPSpanExporter())
    return exporters


def _set_up_metrics(service: str) -> None:
    if not (os.environ.get(_OTLP) or os.environ.get(_OTLP_METRICS)):
        return
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader], resource=_resource(service)))


def _resource(service: str) -> Resource:
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    return Resource.create({"service.name": service, "service.namespace": NAMESPACE})
