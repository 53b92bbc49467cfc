"""Draws a timeline as lines of text for a terminal of a given width. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.cells import cell_len
from rich.text import Text
from servicekit.errors.words import in_words
from servicekit.moments import SHORT_FORMAT, local

from bihuanctl.durations import spoken
from bihuanctl.texts import Texts
from bihuanctl.traceview.timeline import RequestTrace, StageBar, Timeline
from standards import Standards, label_of

SMALLEST_BAR = 10
# Room right of the bars for length, responsible person and clock.
FACTS_WIDTH = 56
OUTCOME_STYLES = {"met": "green", "missed": "bold red", "cancelled": "dim", "running": "yellow"}
SERVICE_STYLES = {"gateway": "magenta", "intake": "cyan", "dispatch": "yellow", "complaints": "red", "records": "green"}


def draw(timeline: Timeline, texts: Texts, standards: Standards, *, width: int) -> Iterator[Text]:
    """The lines, `width` cells wide where they can be."""
    count = sum(len(request.spans) for stage in timeline.stages for request in stage.requests)
    count += sum(len(request.spans) for request in timeline.later) + len(timeline.stages)
    length = spoken(_between(timeline.started_ns, timeline.ended_ns), texts)
    yield Text(texts("trace.title", case=timeline.case_id, length=length, count=count), "bold")
    labels = {stage.stage: label_of(standards.stages.cases, stage.stage, texts.language) for stage in timeline.stages}
    label_width = max((cell_len(text) for text in labels.values()), default=0)
    bar_width = max(SMALLEST_BAR, width - label_width - FACTS_WIDTH)
    for stage in timeline.stages:
        name = labels[stage.stage]
        line = Text.assemble((name, "bold"), " " * (label_width - cell_len(name) + 1))
        line.append(_bar(stage, timeline, bar_width), OUTCOME_STYLES.get(stage.clock_outcome, "blue"))
        line.append(f" {_moment(stage.started_ns)} ", "dim")
        line.append(spoken(_between(stage.started_ns, stage.ended_ns), texts))
        if stage.responsible:
            line.append(f"  {stage.responsible}", "italic")
        if stage.clock_outcome:
            clock = label_of(standards.clocks, stage.clock, texts.language)
            outcome = in_words("state", stage.clock_outcome, texts.language)
            line.append(f"  {clock} {outcome}".rstrip(), OUTCOME_STYLES.get(stage.clock_outcome, ""))
        yield line
        for request in stage.requests:
            yield from _request(request, texts)
    if timeline.later:
        yield Text(texts("trace.others"), "bold")
        for request in timeline.later:
            yield from _request(request, texts)
    if not timeline.complete:
        yield Text(texts("trace.unfinished"), "dim")


def _bar(stage: StageBar, timeline: Timeline, width: int) -> str:
    """The stay in a stage within the life so far; a short one is still seen."""
    whole = max(1, timeline.ended_ns - timeline.started_ns)
    first = min(width - 1, (stage.started_ns - timeline.started_ns) * width // whole)
    last = max(first + 1, (stage.ended_ns - timeline.started_ns) * width // whole)
    return "·" * first + "█" * (last - first) + "·" * (width - last)


def _request(request: RequestTrace, texts: Texts) -> Iterator[Text]:
    length = spoken(_between(request.started_ns, request.ended_ns), texts)
    yield Text(f"  ⤷ {texts('trace.request', trace=request.trace_id, length=length)}", "dim")
    for placed in request.spans:
        span = placed.span
        line = Text("    " + "  " * placed.depth)
        line.append(f"{span.service:<10}", SERVICE_STYLES.get(span.service, ""))
        line.append(f" {span.name}")
        line.append(f"  +{spoken(_between(request.started_ns, span.started_ns), texts)}", "dim")
        line.append(f"  {spoken(_between(span.started_ns, span.ended_ns), texts)}")
        if span.error:
            line.append(f"  {span.error}", "red")
        yield line


def _between(start_ns: int, end_ns: int) -> timedelta:
    return timedelta(microseconds=max(0, end_ns - start_ns) / 1000)


def _moment(nanoseconds: int) -> str:
    return local(datetime.fromtimestamp(nanoseconds / 1e9, UTC), SHORT_FORMAT)
