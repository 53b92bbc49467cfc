"""The life of a case as it is drawn (TRC-01)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bihuanctl.texts import Texts
from bihuanctl.traceview.drawing import draw
from bihuanctl.traceview.timeline import build_timeline
from hypothesis import given
from hypothesis import strategies as st
from servicekit.telemetry import names
from servicekit.telemetry.spanstore import StoredSpan

from standards import load

CASE = UUID("0193a5f0-0000-7000-8000-000000000001")
BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FIRST, SECOND, ASIDE, LATER = (f"{number:032x}" for number in (1, 2, 3, 4))


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)


def _stage(name: str, hours: tuple[int, int], link: str, outcome: str = "met") -> StoredSpan:
    attributes = {names.RESPONSIBLE: "agent", names.CLOCK: "assessment", names.CLOCK_OUTCOME: outcome}
    started, ended = (_ns(BEGIN + timedelta(hours=hour)) for hour in hours)
    return StoredSpan(
        CASE.hex,
        name,
        "root",
        f"stage.{name}",
        "intake",
        "internal",
        started,
        ended,
        "",
        str(CASE),
        attributes,
        (link,),
    )


def _span(  # noqa: PLR0917 -- a table of spans reads best in columns
    trace: str, span: str, parent: str, name: str, service: str, milliseconds: tuple[int, int]
) -> StoredSpan:
    started, ended = (_ns(BEGIN) + at * 1_000_000 for at in milliseconds)
    return StoredSpan(trace, span, parent, name, service, "server", started, ended)


SPANS = [
    _stage("accepted", (0, 2), FIRST),
    _stage("handling", (2, 8), SECOND, "missed"),
    _span(FIRST, "b", "a", "CaseService/AssessCase", "intake", (12, 20)),
    _span(FIRST, "a", "client", "POST /v1/cases/{case}:assess", "gateway", (10, 25)),
    _span(FIRST, "c", "b", "db.transaction", "intake", (13, 18)),
    _span(ASIDE, "e", "", "bus.consume", "dispatch", (30, 31)),
    _span(SECOND, "d", "", "CaseService/DeliverResult", "intake", (40, 1240)),
    _span(LATER, "f", "", "bus.consume", "records", (2000, 2001)),
]


def test_requests_stand_below_the_stage_that_they_moved() -> None:
    timeline = build_timeline(str(CASE), SPANS)
    assert [(bar.stage, [request.trace_id for request in bar.requests]) for bar in timeline.stages] == [
        ("accepted", [FIRST]),
        ("handling", [ASIDE, SECOND]),
    ]
    assert [request.trace_id for request in timeline.later] == [LATER]
    first = timeline.stages[0].requests[0]
    assert [(placed.span.span_id, placed.depth) for placed in first.spans] == [("a", 0), ("b", 1), ("c", 2)]
    assert not timeline.complete


def test_the_drawing() -> None:
    lines = draw(build_timeline(str(CASE), SPANS), Texts("en"), load(), width=88)
    assert "\n".join(line.plain for line in lines) == (
        f"Case {CASE} · platform time: 8h · spans: 8\n"
        "Accepted      ████··············· 11-22 16:00 UTC+8 2h  agent  Initial assessment and work order met\n"
        f"  ⤷ request {FIRST} · 15ms\n"
        "    gateway    POST /v1/cases/{case}:assess  +0s  15ms\n"
        "      intake     CaseService/AssessCase  +2ms  8ms\n"
        "        intake     db.transaction  +3ms  5ms\n"
        "Being handled ····███████████████ 11-22 18:00 UTC+8 6h  agent  Initial assessment and work order missed\n"
        f"  ⤷ request {ASIDE} · 1ms\n"
        "    dispatch   bus.consume  +0s  1ms\n"
        f"  ⤷ request {SECOND} · 1.2s\n"
        "    intake     CaseService/DeliverResult  +0s  1.2s\n"
        "further work on this case\n"
        f"  ⤷ request {LATER} · 1ms\n"
        "    records    bus.consume  +0s  1ms\n"
        "not ended yet: the stage in which it stands has no span before it ends"
    )


def test_the_drawing_in_chinese_has_no_word_of_the_contracts() -> None:
    """But for the names of operations and services, which are the same in every language."""
    title, stage, request, *_ = draw(build_timeline(str(CASE), SPANS), Texts("zh-CN"), load(), width=88)
    assert title.plain == f"受理单 {CASE} · 平台时间：8 小时 · 跨度：8"
    assert stage.plain.endswith(" 11-22 16:00 UTC+8 2 小时  agent  初步评估与派单 达标")
    assert request.plain == f"  ⤷ 请求 {FIRST} · 15 毫秒"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", *"abcdef"])), unique_by=lambda pair: pair[0]))
def test_every_span_of_a_tree_is_drawn_once(pairs: list[tuple[str, str]]) -> None:
    """Whatever is missing between them; a parent comes before its children."""
    pairs = [(span, parent) for span, parent in pairs if parent < span]
    spans = [_span(FIRST, span, parent, span, "intake", (0, 1)) for span, parent in pairs]
    timeline = build_timeline(str(CASE), spans)
    drawn = [placed.span.span_id for request in timeline.later for placed in request.spans]
    assert sorted(drawn) == sorted(span for span, _ in pairs)
    for span, parent in pairs:
        if parent in drawn:
            assert drawn.index(parent) < drawn.index(span)
