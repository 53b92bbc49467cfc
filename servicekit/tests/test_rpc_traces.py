"""A call and the calls it makes are one trace, and every call is measured (TRC-01, TRC-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server
from servicekit.telemetry import names

METHOD = "bihuan.intake.v1.CaseService/GetCase"


class Tokens:
    async def verify(self, token: str) -> Principal:
        return Principal("u", frozenset({"agent"}))


async def always() -> bool:
    return True


class Case(cases_pb2_grpc.CaseServiceServicer):
    """Asks another service when it has one; else does what the case's name says."""

    def __init__(self, other: Channel | None = None) -> None:
        self._other = other

    async def GetCase(self, request: cases_pb2.GetCaseRequest, _: Any) -> cases_pb2.Case:  # noqa: N802
        if self._other:
            return await cases_pb2_grpc.CaseServiceStub(self._other).GetCase(request)
        if request.case == "unknown":
            raise Fault("case_unknown", case=request.case)
        if request.case == "defect":
            raise ZeroDivisionError
        return cases_pb2.Case(case_number=request.case)


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    yield reader
    provider.shutdown()


def server_for(case: Case) -> Server:
    servicer = (cases_pb2_grpc.add_CaseServiceServicer_to_server, case)
    return Server("127.0.0.1:0", [servicer], tokens=Tokens(), is_ready=always)


async def ask(server: Server, *cases: str) -> None:
    channel = Channel(server.address, lambda: "agent")
    stub = cases_pb2_grpc.CaseServiceStub(channel)
    for case in cases:
        try:
            await stub.GetCase(cases_pb2.GetCaseRequest(case=case))
        except Fault as fault:
            assert fault.code in {"case_unknown", "internal"}  # noqa: PT017 -- both are asked for
    await channel.close()


async def test_a_call_of_a_call_is_in_the_callers_trace(exported: InMemorySpanExporter) -> None:
    back = server_for(Case())
    await back.start()
    between = Channel(back.address)
    front = server_for(Case(between))
    await front.start()
    with trace.get_tracer("test").start_as_current_span("caller"):
        await ask(front, "x")
    await between.close()
    await front.stop(1)
    await back.stop(1)
    inner, outer, caller = exported.get_finished_spans()
    assert [span.name for span in (inner, outer)] == [METHOD, METHOD]
    assert parent(inner) == outer.context.span_id
    assert parent(outer) == caller.context.span_id
    assert len({span.context.trace_id for span in (inner, outer, caller)}) == 1


async def test_calls_that_travel_together_stay_in_their_callers_traces(exported: InMemorySpanExporter) -> None:
    server = server_for(Case())
    await server.start()
    channel = Channel(server.address, lambda: "agent", together=True)
    stub = cases_pb2_grpc.CaseServiceStub(channel)

    async def ask_in_a_trace_of_its_own(case: str) -> int:
        with trace.get_tracer("test").start_as_current_span(case, context=Context()) as span:
            await stub.GetCase(cases_pb2.GetCaseRequest(case=case))
            return span.get_span_context().span_id

    callers = await asyncio.gather(*map(ask_in_a_trace_of_its_own, "abc"))
    await channel.close()
    await server.stop(1)
    served = [span for span in exported.get_finished_spans() if span.name == METHOD]
    assert {parent(span) for span in served} == set(callers)
    assert len({span.context.trace_id for span in served}) == 3


def parent(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


async def test_spans_and_durations_tell_how_calls_ended(
    exported: InMemorySpanExporter, measured: InMemoryMetricReader
) -> None:
    server = server_for(Case())
    await server.start()
    await ask(server, "x", "unknown", "defect")
    await server.stop(1)
    good, refused, broken = exported.get_finished_spans()
    assert good.attributes == {names.RPC_SYSTEM: "grpc", names.RPC_METHOD: METHOD, names.RPC_STATUS: "OK"}
    assert (refused.status.status_code, broken.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert dict(refused.attributes or {})[names.ERROR_TYPE] == "case_unknown"
    data = measured.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == (names.RPC_DURATION, "s")
    ended = {point.attributes[names.RPC_STATUS]: point.count for point in metric.data.data_points}
    assert ended == {"OK": 1, "NOT_FOUND": 1, "INTERNAL": 1}
