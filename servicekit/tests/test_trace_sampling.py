"""Which traces are kept (TRC-01): requests, events and clocks; not the upkeep of an idle platform."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from servicekit.telemetry import names
from servicekit.telemetry.sampling import WorkSampler
from servicekit.telemetry.spans import inner_span


@pytest.fixture
def tracer() -> Tracer:
    provider = TracerProvider(sampler=ParentBased(WorkSampler(ALWAYS_ON)), shutdown_on_exit=False)
    return provider.get_tracer("test")


def test_a_look_at_ones_own_tables_is_no_trace(tracer: Tracer) -> None:
    assert not tracer.start_span(names.SPAN_TRANSACTION).is_recording()


def test_what_a_request_does_in_the_database_belongs_to_it(tracer: Tracer) -> None:
    with tracer.start_as_current_span("POST") as request:
        assert request.is_recording()
        assert tracer.start_span(names.SPAN_TRANSACTION).is_recording()


def test_an_inner_span_is_made_where_its_trace_is_kept(tracer: Tracer) -> None:
    with tracer.start_as_current_span("POST") as request, inner_span(tracer, names.SPAN_GATHERED, {}) as inner:
        assert inner is trace.get_current_span() is not request
        assert inner.get_span_context().trace_id == request.get_span_context().trace_id
        assert inner.is_recording()
    with inner_span(tracer, "first", {}) as first:
        assert first.is_recording()


def test_nothing_is_made_within_a_trace_that_is_dropped(tracer: Tracer) -> None:
    with (
        tracer.start_as_current_span(names.SPAN_TRANSACTION) as dropped,
        inner_span(tracer, names.SPAN_GATHERED, {}) as inner,
    ):
        assert inner is trace.get_current_span() is dropped
        assert not inner.is_recording()


def test_a_transaction_that_requests_share_is_a_trace_of_its_own(tracer: Tracer) -> None:
    links = [trace.Link(tracer.start_span(names.SPAN_GATHERED).get_span_context())]
    assert tracer.start_span(names.SPAN_TRANSACTION, links=links).is_recording()


@pytest.mark.parametrize(("path", "kept"), [("/healthz", False), ("/readyz", False), ("/v1/cases", True)])
def test_probes_are_no_traces(tracer: Tracer, path: str, kept: bool) -> None:
    assert tracer.start_span("GET", attributes={"url.path": path}).is_recording() is kept


@pytest.mark.parametrize("name", [names.SPAN_DEADLINE, names.SPAN_CONSUME])
def test_clocks_and_events_are_traces(tracer: Tracer, name: str) -> None:
    assert tracer.start_span(name).is_recording()
