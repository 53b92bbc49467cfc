"""The life-cycle trace of a case: one span per stage, written when the stage ends, with its true times (TRC-01).

No span is held open for days. The trace id is the case id, the id of the root span follows from it; so every service
can add spans to the trace of a case without asking anybody, and writing a stage twice writes the same span.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes, AttributeValue

from servicekit.telemetry import names

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

# The ids (trace, span) of the life-cycle span that is being written, if one is.
_writing: Final[ContextVar[tuple[int, int] | None]] = ContextVar("servicekit.lifecycle", default=None)


class CaseTrace:
    """Writes the life-cycle spans of cases. Call it after the commit that ended a stage: one rolled back never was.

    Times are platform time in UTC. `attributes` are named by names.py. `links` are the W3C traceparents of the requests
    and reactions that moved the case; without them the span that is current is taken.
    """

    @staticmethod
    def stage_ended(
        case_id: UUID | str,
        stage: str,
        started: datetime,
        ended: datetime,
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[str] | None = None,
    ) -> None:
        """A case has left `stage`, such as `handling`, in which it was from `started` to `ended`."""
        name = f"{names.SPAN_STAGE_PREFIX}{stage}"
        span_id = _span_id(UUID(str(case_id)), f"{name}@{_nanoseconds(started)}")
        root = NonRecordingSpan(root_context(case_id))
        described = {**(attributes or {}), names.STAGE: stage}
        below_root = trace.set_span_in_context(root, Context())
        _write(name, case_id, (started, ended), span_id=span_id, parent=below_root, attributes=described, links=links)

    @staticmethod
    def case_ended(
        case_id: UUID | str,
        started: datetime,
        ended: datetime,
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[str] | None = None,
    ) -> None:
        """A case has gone the whole way round the loop, from `started` to `ended`: its root span."""
        span_id = root_context(case_id).span_id
        times = (started, ended)
        _write(
            names.SPAN_CASE,
            case_id,
            times,
            span_id=span_id,
            parent=Context(),
            attributes=attributes or {},
            links=links,
        )


def root_context(case_id: UUID | str) -> SpanContext:
    """The root span of a case's life-cycle trace, whether it is written yet or not."""
    case = UUID(str(case_id))
    return SpanContext(case.int, _span_id(case, names.SPAN_CASE), is_remote=False, trace_flags=_SAMPLED)


def concerns_case(case_id: UUID | str) -> None:
    """Marks the current span as being about a case, so that it is found with the case."""
    trace.get_current_span().set_attribute(names.CASE_ID, str(case_id))


def _write(
    name: str,
    case_id: UUID | str,
    times: tuple[datetime, datetime],
    *,
    span_id: int,
    parent: Context,
    attributes: Mapping[str, AttributeValue],
    links: Sequence[str] | None,
) -> None:
    started, ended = times
    moved_by = [trace.get_current_span()] if links is None else [_span_of(traceparent) for traceparent in links]
    contexts = [span.get_span_context() for span in moved_by]
    with _as(UUID(str(case_id)).int, span_id):
        span = trace.get_tracer("servicekit.lifecycle").start_span(
            name,
            parent,
            SpanKind.INTERNAL,
            {**attributes, names.CASE_ID: str(case_id)},
            [Link(context) for context in contexts if context.is_valid],
            start_time=_nanoseconds(started),
        )
    span.end(_nanoseconds(ended))


def _span_of(traceparent: str) -> trace.Span:
    """Of an unreadable traceparent an invalid span, which nothing is linked to."""
    return trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent}, Context()))


@contextmanager
def _as(trace_id: int, span_id: int) -> Iterator[None]:
    token = _writing.set((trace_id, span_id))
    try:
        yield
    finally:
        _writing.reset(token)


def _span_id(case: UUID, of: str) -> int:
    digest = hashlib.sha256(case.bytes + of.encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1  # 0 means "no span"


def _nanoseconds(moment: datetime) -> int:
    elapsed = moment - _EPOCH
    # In whole numbers: a float of today's seconds is off by hundreds of nanoseconds.
    return ((elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds) * 1_000


class LifecycleIds(IdGenerator):
    """Random ids for every span but those of life cycles, which have theirs already."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        written = _writing.get()
        return written[0] if written else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        written = _writing.get()
        return written[1] if written else self._random.generate_span_id()


class LifecycleSampler(Sampler):
    """Keeps every life-cycle span; the rest is up to `others`."""

    def __init__(self, others: Sampler) -> None:
        self._others = others

    def should_sample(  # noqa: PLR0917 -- OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if _writing.get():
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"LifecycleSampler({self._others.get_description()})"
