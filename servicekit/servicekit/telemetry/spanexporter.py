"""Ended spans go from OpenTelemetry into the local span store, in batches on its export thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from servicekit.telemetry import names
from servicekit.telemetry.spanstore import SpanStore, StoredSpan

_log = structlog.get_logger(__name__)


class SpanStoreExporter(SpanExporter):
    """Spans that can't be stored are dropped: telemetry must never stop the work."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            self._store.write(_stored(span) for span in spans)
        except sqlite3.Error as wrong:
            _log.warning("spans_dropped", count=len(spans), reason=str(wrong))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._store.close()


def _stored(span: ReadableSpan) -> StoredSpan:
    attributes = dict(span.attributes or {})
    failed = span.status.status_code is StatusCode.ERROR
    return StoredSpan(
        trace_id=format_trace_id(span.context.trace_id),
        span_id=format_span_id(span.context.span_id),
        parent_id=format_span_id(span.parent.span_id) if span.parent else "",
        name=span.name,
        service=str(span.resource.attributes.get("service.name", "")),
        kind=span.kind.name.lower(),
        started_ns=span.start_time or 0,
        ended_ns=span.end_time or 0,
        error=(span.status.description or "error") if failed else "",
        case_id=str(attributes.get(names.CASE_ID, "")),
        attributes=attributes,
        links=tuple(format_trace_id(link.context.trace_id) for link in span.links),
    )
