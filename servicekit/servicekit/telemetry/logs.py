"""Log lines: one JSON object a line on standard output, with the trace they belong to (TRC-02).

Our own lines and those of libraries that use the standard `logging` come out in the same form.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, Literal

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["json", "console"]

# They tell of every request at INFO, which our own telemetry does already.
_TALKATIVE: Final = ("httpx", "httpcore", "uvicorn.access")


def configure_logs(service: str, log_format: LogFormat, level: str) -> None:
    """Sends every log line of this process to standard output. `level`: the least that is logged, such as `info`."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared = _processors(service)
    renderer = _renderer(log_format)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def _processors(service: str) -> list[Processor]:
    def add_service(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_trace,
        structlog.processors.format_exc_info,
    ]


def _renderer(log_format: LogFormat) -> Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)


def add_trace(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Names the span in which a line was written, where there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line
