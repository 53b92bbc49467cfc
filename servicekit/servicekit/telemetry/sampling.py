"""Which traces are worth keeping: those of what somebody asked for, not of a platform that looks after itself.

Services look at their own tables all the time, and probes ask them whether they live. On an idle platform these would
push the traces of cases out of the bounded span store within hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from servicekit.telemetry import names

PROBES: Final = frozenset({"/healthz", "/readyz"})
# The semantic convention that FastAPI's own spans follow.
_PATH: Final = "url.path"


class WorkSampler(Sampler):
    """Decides about the first span of a trace: drops upkeep, the rest is up to `others`."""

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
        if _is_upkeep(name, attributes or {}, links or ()):
            return SamplingResult(Decision.DROP)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"WorkSampler({self._others.get_description()})"


def _is_upkeep(name: str, attributes: Mapping[str, object], links: Sequence[Link]) -> bool:
    """A transaction that nobody asked for: one that requests share is linked to them."""
    return (name == names.SPAN_TRANSACTION and not links) or attributes.get(_PATH) in PROBES
