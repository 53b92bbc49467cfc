"""Traces as tests look at them: who caused what, across processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Span = Mapping[str, Any]


def until_traced(platform: Any, case_id: str, shown: Callable[[Sequence[Span]], bool]) -> list[Span]:
    """What `bihuan trace CASE --json` tells once `shown` is true of it: processes keep their spans some time after the
    work, and those who only listen work later."""

    def look() -> list[Span] | None:
        spans: list[Span] = platform.json("trace", case_id)["spans"]
        return spans if shown(spans) else None

    traced: list[Span] = platform.eventually(look, "not everything was traced")
    return traced


def life_of(case_id: str, spans: Iterable[Span]) -> list[Span]:
    """The case's own trace: the root and its stages in the order of their time."""
    own = [span for span in spans if span["trace_id"] == case_id.replace("-", "")]
    return sorted(own, key=lambda span: (span["started_ns"], -span["ended_ns"]))


def requests_of(case_id: str, spans: Iterable[Span]) -> dict[str, list[Span]]:
    """The other traces, by the name of their first span."""
    traces: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span["trace_id"] != case_id.replace("-", ""):
            traces[span["trace_id"]].append(span)
    return {min(trace, key=lambda span: span["started_ns"])["name"]: trace for trace in traces.values()}


def edges_of(trace: Iterable[Span]) -> set[tuple[str, str]]:
    """Which service caused something in which other one."""
    by_id = {span["span_id"]: span for span in trace}
    return {
        (by_id[span["parent_id"]]["service"], span["service"])
        for span in by_id.values()
        if span["parent_id"] in by_id and by_id[span["parent_id"]]["service"] != span["service"]
    }


def shape_of(trace: Iterable[Span]) -> set[str]:
    """What kinds of work a trace goes through: HTTP, gRPC, database, the bus."""
    return {_work(span) for span in trace}


def _work(span: Span) -> str:
    name: str = span["name"]
    if name.startswith(("db.", "bus.")):
        return name
    return "grpc" if name.startswith("bihuan.") else "http"
