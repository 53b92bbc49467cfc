"""Spans within a process, which cost nothing where their trace is not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace


def inner_span(
    tracer: trace.Tracer, name: str, attributes: Mapping[str, str], links: Sequence[trace.Link] = ()
) -> AbstractContextManager[trace.Span]:
    """A span under the current one, or the first of a new trace; ended with the block, and current in it.

    Where the sampler has dropped the current trace, it is the current span once more: the sampler would drop each span
    of it (ParentBased), and asking it costs nearly as much as a span that is kept.
    """
    current = trace.get_current_span()
    context = current.get_span_context()
    if context.is_valid and not context.trace_flags.sampled:
        return nullcontext(current)
    return tracer.start_as_current_span(name, attributes=attributes, links=links, record_exception=False)
