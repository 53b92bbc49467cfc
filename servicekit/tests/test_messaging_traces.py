"""One trace from the request over the outbox and the bus to what a reaction does (TRC-01)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from bihuan.intake.v1.events_pb2 import CaseAssessed, CaseOpened
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from servicekit.database import Database, UnitOfWork
from servicekit.database.tables import outbox
from servicekit.errors import Fault
from servicekit.messaging import Bus, NotYet, Reactions, Received, delivery
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.relay import Relay
from servicekit.messaging.retries import RetryPolicy
from servicekit.telemetry import names
from servicekit.testing.waiting import eventually, running
from sqlalchemy import select

ONCE_MORE = RetryPolicy(wait_pauses=(0.01,))


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # Tracers are made at import and bound to the first provider of the process.
    monkeypatch.setattr(delivery, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def consumed(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == names.SPAN_CONSUME]


async def open_case(database: Database, traceparent: str = "") -> str:
    case_id = str(uuid4())
    async with database.transaction("open") as tx:
        tx.emit(CaseOpened(case_id=case_id), version=1, traceparent=traceparent)
    return case_id


async def test_a_reaction_continues_the_trace_of_its_cause(
    database: Database, bus: Bus, exporter: InMemorySpanExporter
) -> None:
    reactions = Reactions("intake")

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        tx.emit(CaseAssessed(case_id=event.case_id), version=2)

    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    case_id = await open_case(database, f"00-{trace_id}-{span_id}-01")
    async with running(Relay(database, bus).run(), Consumer(database, bus, reactions).run()):
        await eventually(lambda: len(consumed(exporter)) == 1)
    [span] = consumed(exporter)
    assert span.kind is SpanKind.CONSUMER
    assert span.parent is not None
    assert format_trace_id(span.context.trace_id) == trace_id
    assert format_span_id(span.parent.span_id) == span_id
    assert [format_span_id(link.context.span_id) for link in span.links] == [span_id]
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes is not None
    assert span.attributes[names.CASE_ID] == case_id
    assert span.attributes[names.EVENT_TYPE] == "bihuan.intake.v1.CaseOpened"
    assert span.attributes[names.MESSAGING_DESTINATION] == "bihuan.intake.case.opened.v1"
    assert span.attributes[names.MESSAGING_DELIVERIES] == 1
    async with database.transaction("look") as tx:
        headers = await tx.scalar(select(outbox.c.headers).where(outbox.c.entity_version == 2))
    assert headers["traceparent"] == f"00-{trace_id}-{format_span_id(span.context.span_id)}-01"


async def test_a_failed_reaction_is_an_error_and_one_that_waits_is_none(
    database: Database, bus: Bus, exporter: InMemorySpanExporter
) -> None:
    reactions = Reactions("intake")
    told: list[Exception] = [Fault("case_unknown"), NotYet("something comes first")]

    @reactions.on(CaseOpened)
    async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
        if told:
            raise told.pop()

    await open_case(database)
    async with running(Relay(database, bus).run(), Consumer(database, bus, reactions, policy=ONCE_MORE).run()):
        await eventually(lambda: len(consumed(exporter)) == 2)
    waited, failed = consumed(exporter)
    assert (waited.status.status_code, waited.attributes[names.ERROR_TYPE]) == (StatusCode.UNSET, "NotYet")  # type: ignore[index]
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "case_unknown")
    assert failed.parent is None
