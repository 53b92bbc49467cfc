"""Traces of cases, the local span store, and log lines (TRC-01, TRC-02)."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from servicekit.telemetry import names
from servicekit.telemetry.lifecycle import CaseTrace, LifecycleIds, LifecycleSampler, concerns_case, root_context
from servicekit.telemetry.spanexporter import SpanStoreExporter
from servicekit.telemetry.spanstore import MOST_SPANS_OF_TRACE, MOST_TRACES_OF_CASE, SpanStore, StoredSpan

CASE = UUID("019a1b2c-3d4e-7f60-8a1b-2c3d4e5f6071")
START = datetime(2026, 11, 1, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SpanStore]:
    store = SpanStore(tmp_path / "spans.sqlite")
    yield store
    store.close()


@pytest.fixture
def provider(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """Samples nothing but what must be kept."""
    provider = TracerProvider(
        sampler=LifecycleSampler(ParentBased(ALWAYS_OFF)),
        id_generator=LifecycleIds(),
        resource=Resource({"service.name": "intake"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(SpanStoreExporter(store)))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return provider


def span(number: int, **changes: object) -> StoredSpan:
    content = {
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "parent_id": "",
        "name": "n",
        "service": "s",
        "kind": "internal",
        "started_ns": number,
        "ended_ns": number + 1,
    }
    return StoredSpan(**{**content, **changes})  # type: ignore[arg-type]


def test_a_stage_is_a_span_of_the_cases_own_trace_with_its_true_times(
    provider: TracerProvider, store: SpanStore
) -> None:
    end = START + timedelta(days=3)
    CaseTrace.stage_ended(CASE, "handling", START, end, attributes={names.RESPONSIBLE: "e-1"})
    CaseTrace.case_ended(str(CASE), START, end, attributes={names.CASE_OUTCOME: "solved"})
    root, stage = store.spans_of_case(CASE)
    assert (root.name, root.parent_id, root.trace_id) == ("case", "", CASE.hex)
    assert (stage.name, stage.parent_id, stage.trace_id) == ("stage.handling", root.span_id, CASE.hex)
    assert root.span_id == trace.format_span_id(root_context(CASE).span_id)
    assert stage.started_ns == 1_793_521_800_123_456_000
    assert stage.ended_ns - stage.started_ns == 3 * 86_400 * 10**9
    assert stage.attributes == {names.RESPONSIBLE: "e-1", names.STAGE: "handling", names.CASE_ID: str(CASE)}


def test_a_stage_written_twice_is_one_span_and_a_second_stay_another(
    provider: TracerProvider, store: SpanStore
) -> None:
    for started in (START, START, START + timedelta(hours=1)):
        CaseTrace.stage_ended(CASE, "handling", started, started + timedelta(minutes=1))
    assert len(store.spans_of_case(CASE)) == 2


def test_the_store_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "spans.sqlite").touch(mode=0o644)
    SpanStore(tmp_path / "spans.sqlite").write([span(1)])
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


@given(st.uuids(), st.uuids())
def test_ids_of_life_cycle_traces_are_never_shared(one: UUID, other: UUID) -> None:
    assert root_context(one) == root_context(str(one))
    assert (root_context(one) == root_context(other)) is (one == other)


def test_the_traces_that_moved_a_case_are_found_with_it(provider: TracerProvider, store: SpanStore) -> None:
    moved = span(7, name="bihuan.intake.v1.CaseService/AssessCase")
    below = span(8, trace_id=moved.trace_id, parent_id=moved.span_id, name="db.transaction")
    about = span(9, case_id=str(CASE), name="bus.consume")
    store.write([moved, below, about, span(10, name="something else")])
    links = [f"00-{moved.trace_id}-{moved.span_id}-00", "unreadable", ""]
    CaseTrace.stage_ended(CASE, "accepted", START, START + timedelta(seconds=1), links=links)
    found = [stored.name for stored in store.spans_of_case(CASE)]
    assert found == [moved.name, "db.transaction", "bus.consume", "stage.accepted"]


def test_a_request_that_names_a_case_is_found_whole_and_only_it(store: SpanStore) -> None:
    """With what came before the span that knew the case, without those it shared a transaction with."""
    came_in = span(1, name="POST /v1/cases", service="gateway")
    opened = span(2, trace_id=came_in.trace_id, parent_id=came_in.span_id, name="OpenCase", case_id=str(CASE))
    shared = span(20, name="db.transaction", links=(came_in.trace_id, f"{30:032x}"))
    gathered = span(3, trace_id=came_in.trace_id, name="db.gathered", links=(shared.trace_id,))
    neighbour = span(30, name="OpenCase", case_id="019a1b2c-3d4e-7f60-8a1b-2c3d4e5f6072")
    store.write([opened, gathered, shared, neighbour, came_in])
    assert store.spans_of_case(CASE) == [came_in, opened, gathered]


def test_of_many_requests_the_newest_are_read_whole_and_of_a_long_one_the_beginning(store: SpanStore) -> None:
    for number in range(1, MOST_TRACES_OF_CASE + 2):
        root = span(number * 10, name="root")
        named = span(number * 10 + 1, trace_id=root.trace_id, case_id=str(CASE), name="named")
        store.write([root, named])
    long = span(10_000, name="root", case_id=str(CASE))
    below = [
        span(number, trace_id=long.trace_id, name="below") for number in range(10_001, 10_001 + MOST_SPANS_OF_TRACE)
    ]
    last = span(20_000, trace_id=long.trace_id, case_id=str(CASE), name="named")
    store.write([long, *below, last])
    found = store.spans_of_case(CASE)
    # The oldest two requests are only told of by the spans that name the case.
    assert [stored.name for stored in found[:4]] == ["named", "named", "root", "named"]
    assert [stored.name for stored in found].count("root") == MOST_TRACES_OF_CASE
    assert found[-1] == last
    assert [stored for stored in found if stored.name == "below"] == below[:-1]


def test_a_stage_is_linked_to_the_span_in_which_it_ended(provider: TracerProvider, store: SpanStore) -> None:
    with provider.get_tracer("test").start_as_current_span("request") as request:
        concerns_case(CASE)
        CaseTrace.stage_ended(CASE, "accepted", START, START)
    (stage,) = store.spans_of_case(CASE)
    assert stage.links == (trace.format_trace_id(request.get_span_context().trace_id),)


def test_other_spans_are_left_to_the_sampler(provider: TracerProvider, store: SpanStore) -> None:
    with provider.get_tracer("test").start_as_current_span("request") as request:
        assert not request.is_recording()


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    (rows,) = connection.execute("SELECT count(*) FROM spans").fetchone()
    connection.close()
    return int(rows)


def test_the_store_is_bounded_by_rows_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "spans.sqlite"
    store = SpanStore(path, most_rows=100)
    for batch in range(60):
        store.write(span(batch * 10 + row + 1, case_id=str(CASE)) for row in range(10))
    kept = store.spans_of_case(CASE)
    store.close()
    # Pruned at every twentieth write: 19 batches may have come since.
    assert 100 <= len(kept) <= 100 + 19 * 10
    assert kept[-1].started_ns == 600


def test_the_store_is_bounded_by_size(tmp_path: Path) -> None:
    path = tmp_path / "spans.sqlite"
    store = SpanStore(path, most_bytes=500_000)
    for batch in range(300):
        store.write(span(batch * 10 + row + 1, attributes={"x": "y" * 1000}) for row in range(10))
    store.close()
    assert path.stat().st_size < 1_000_000
    assert count(path) < 600


def _write_many(path: Path, first: int) -> None:
    store = SpanStore(path)
    for number in range(first, first + 200):
        store.write([span(number)])
    store.close()


def test_several_processes_write_one_store(tmp_path: Path) -> None:
    path = tmp_path / "spans.sqlite"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(path, first)) for first in (1, 1001, 2001)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert count(path) == 600


def test_who_opens_a_new_store_that_another_process_is_writing_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the processes of a platform do that starts for the first time."""
    monkeypatch.setattr("servicekit.telemetry.spanstore._WAIT_FOR_LOCK_SECONDS", 60.0)
    path = tmp_path / "spans.sqlite"
    store = SpanStore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor() as threads:
        other.execute("BEGIN IMMEDIATE")
        writing = threads.submit(store.write, [span(1)])
        assert not wait([writing], timeout=0.2).done
        other.execute("ROLLBACK")
        writing.result()
    store.close()
    assert count(path) == 1


def test_a_store_that_can_not_be_written_costs_spans_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(SpanStoreExporter(SpanStore(tmp_path / "no" / "such" / "folder"))))
    provider.get_tracer("test").start_span("request").end()
    provider.shutdown()


PROCESS = """
import logging, sys, types
from pathlib import Path
import structlog
from opentelemetry import trace
from servicekit import telemetry
telemetry.setup("intake", types.SimpleNamespace(
    log_format=sys.argv[1], log_level="info", span_store=Path(sys.argv[2]), trace_ratio=1.0,
    metrics_listen=""))
log = structlog.get_logger("test")
log.debug("not_shown")
with trace.get_tracer("test").start_as_current_span("request"):
    log.info("case_opened", case="工单")
    logging.getLogger("nats").warning("lost %s", "connection")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
telemetry.shutdown()
assert "opentelemetry.exporter.otlp.proto.grpc" not in sys.modules
"""


def _run(log_format: str, store: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROCESS, log_format, str(store)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_log_lines_are_json_with_their_trace_whoever_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "spans.sqlite"
    own, foreign, broken = (json.loads(line) for line in _run("json", path))
    assert (own["event"], own["level"], own["service"], own["case"]) == ("case_opened", "info", "intake", "工单")
    assert datetime.fromisoformat(own["timestamp"]).tzinfo is not None
    assert (foreign["event"], foreign["level"]) == ("lost connection", "warning")
    assert foreign["trace_id"] == own["trace_id"]
    assert len(own["span_id"]) == 16
    assert "ZeroDivisionError" in broken["exception"]
    assert "trace_id" not in broken
    assert count(path) == 1


def test_log_lines_can_be_for_people(tmp_path: Path) -> None:
    lines = _run("console", tmp_path / "spans.sqlite")
    assert "case_opened" in lines[0]
    assert not lines[0].startswith("{")
