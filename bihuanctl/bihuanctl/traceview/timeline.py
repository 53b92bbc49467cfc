"""A case's life from its spans: stages in platform time, and the traces that moved it in real time. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.telemetry import names
from servicekit.telemetry.spanstore import StoredSpan


@dataclass(frozen=True)
class PlacedSpan:
    """One span of a request and how deep it hangs below the first."""

    span: StoredSpan
    depth: int


@dataclass(frozen=True)
class RequestTrace:
    """What one request, or one clock that ran out, set going across the services. Real time."""

    trace_id: str
    # Each span after its parent, brothers in the order of their start.
    spans: tuple[PlacedSpan, ...]

    @property
    def started_ns(self) -> int:
        return min(placed.span.started_ns for placed in self.spans)

    @property
    def ended_ns(self) -> int:
        return max(placed.span.ended_ns for placed in self.spans)


@dataclass(frozen=True)
class StageBar:
    """One stay in a stage. Platform time."""

    stage: str
    started_ns: int
    ended_ns: int
    responsible: str
    # Clock and its outcome as the stage's span says; empty when it says nothing.
    clock: str
    clock_outcome: str
    # In real-time order; the last ones ended the stage.
    requests: tuple[RequestTrace, ...]


@dataclass(frozen=True)
class Timeline:
    """The life of one case so far."""

    case_id: str
    stages: tuple[StageBar, ...]
    # After the last stage that has ended.
    later: tuple[RequestTrace, ...]
    # The case has gone the whole way round.
    complete: bool

    @property
    def started_ns(self) -> int:
        return min((stage.started_ns for stage in self.stages), default=0)

    @property
    def ended_ns(self) -> int:
        return max((stage.ended_ns for stage in self.stages), default=0)


def build_timeline(case_id: str, spans: Sequence[StoredSpan]) -> Timeline:
    """Sorts the spans of a case into its life."""
    life = UUID(case_id).hex
    stages = sorted(
        (span for span in spans if span.trace_id == life and span.name.startswith(names.SPAN_STAGE_PREFIX)),
        key=lambda span: (span.started_ns, span.ended_ns),
    )
    requests = _requests(span for span in spans if span.trace_id != life)
    shown: set[str] = set()
    bars = [_bar(stage, _requests_of(stage, requests, shown)) for stage in stages]
    return Timeline(
        case_id=case_id,
        stages=tuple(bars),
        later=tuple(request for request in requests if request.trace_id not in shown),
        complete=any(span.trace_id == life and span.name == names.SPAN_CASE for span in spans),
    )


def _requests_of(stage: StoredSpan, requests: Sequence[RequestTrace], shown: set[str]) -> tuple[RequestTrace, ...]:
    """The traces that moved the case out of the stage, and what else happened before them. Marks them as shown.

    Stages are in platform time and requests in real time, so only the links tell which belong together.
    """
    moved_at = max((request.started_ns for request in requests if request.trace_id in stage.links), default=0)
    found = tuple(request for request in requests if request.trace_id not in shown and request.started_ns <= moved_at)
    shown.update(request.trace_id for request in found)
    return found


def _bar(stage: StoredSpan, requests: tuple[RequestTrace, ...]) -> StageBar:
    return StageBar(
        stage=stage.name.removeprefix(names.SPAN_STAGE_PREFIX),
        started_ns=stage.started_ns,
        ended_ns=stage.ended_ns,
        responsible=str(stage.attributes.get(names.RESPONSIBLE, "")),
        clock=str(stage.attributes.get(names.CLOCK, "")),
        clock_outcome=str(stage.attributes.get(names.CLOCK_OUTCOME, "")),
        requests=requests,
    )


def _requests(spans: Iterable[StoredSpan]) -> list[RequestTrace]:
    """The spans by trace, in the order in which the traces began."""
    by_trace: dict[str, list[StoredSpan]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    traces = [RequestTrace(trace_id, tuple(_placed(members))) for trace_id, members in by_trace.items()]
    return sorted(traces, key=lambda trace: (trace.started_ns, trace.trace_id))


def _placed(spans: list[StoredSpan]) -> Iterator[PlacedSpan]:
    known = {span.span_id for span in spans}
    children: dict[str, list[StoredSpan]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span.started_ns, span.span_id)):
        # A span whose parent is not stored (not sampled, pruned, or the client's own) stands at the top.
        children[span.parent_id if span.parent_id in known and span.parent_id != span.span_id else ""].append(span)
    waiting = [PlacedSpan(span, 0) for span in reversed(children[""])]
    while waiting:
        placed = waiting.pop()
        yield placed
        below = children[placed.span.span_id]
        waiting.extend(PlacedSpan(span, placed.depth + 1) for span in reversed(below))
