"""Metrics for Prometheus to fetch: `GET /metrics` on a port of its own, away from the traffic (TRC-02)."""

from __future__ import annotations

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, start_http_server


class Exposition(PrometheusMetricReader):
    """Serves what the process measures, with its memory, CPU time and open files, on `listen` (`host:port`).

    A thread answers, so a busy event loop can still be looked into. Raises OSError when the address can't be had.
    """

    def __init__(self, listen: str) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        super().__init__(scope_info_enabled=False, registry=registry)
        host, _, port = listen.rpartition(":")
        self._server, self._thread = start_http_server(int(port), host.strip("[]"), registry)

    @property
    def port(self) -> int:
        """Where it listens, also when port 0 was asked for."""
        return int(self._server.server_port)

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Called by the meter provider at the end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        super().shutdown(timeout_millis)
