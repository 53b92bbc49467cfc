"""The life-cycle trace of a case: a span for each stage with its true times, clock and responsible person (TRC-01)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from bihuan.intake.v1 import cases_pb2
from bihuan.records.v1 import events_pb2 as records_events
from intake.cases import closing
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from servicekit.clock import ManualClock
from servicekit.identity import Principal
from servicekit.telemetry import names
from servicekit.telemetry.lifecycle import LifecycleIds, LifecycleSampler
from servicekit.telemetry.spanexporter import SpanStoreExporter
from servicekit.telemetry.spanstore import SpanStore

ENGINEER = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpanStore]:
    store = SpanStore(tmp_path / "spans.sqlite")
    provider = TracerProvider(
        sampler=LifecycleSampler(ParentBased(ALWAYS_OFF)),
        id_generator=LifecycleIds(),
        resource=Resource({"service.name": "intake"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(SpanStoreExporter(store)))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield store
    store.close()


async def test_trc01_every_stage_leaves_a_span(
    office, a_request, agent: Principal, spans: SpanStore, manual_clock: ManualClock
) -> None:
    case = (await office.open(a_request(), agent)).case
    manual_clock.advance(timedelta(hours=5))
    case = await office.assess(case, agent, needs_visit=True)
    manual_clock.advance(timedelta(hours=1))
    await office.tell_assigned(case, ENGINEER)
    manual_clock.advance(timedelta(hours=1))
    await office.tell_completed(case, ENGINEER, manual_clock.now())
    reference = {"case": case.case_number}
    await office.change(closing.confirm_result, agent, cases_pb2.ConfirmResultRequest(**reference, solved=True))
    follow_up = cases_pb2.RecordFollowUpRequest(**reference, note="满意", reached=True)
    await office.change(closing.record_follow_up, agent, follow_up)
    await office.tell(records_events.RecordFiled(record_id=str(uuid4()), case_id=str(case.case_id), version=1))

    written = {span.name: span for span in spans.spans_of_case(str(case.case_id))}
    stages = ["accepted", "assessed", "assigned", "delivered", "confirmed", "closed"]
    assert written.keys() == {"case", *(f"stage.{stage}" for stage in stages)}
    accepted = written["stage.accepted"]
    assert accepted.ended_ns - accepted.started_ns == 5 * 3600 * 10**9
    assert accepted.attributes[names.RESPONSIBLE] == "agent.gz"
    # Five hours, where a fault is answered within four.
    assert (accepted.attributes[names.CLOCK], accepted.attributes[names.CLOCK_OUTCOME]) == ("fault_response", "missed")
    assert written["case"].attributes[names.CASE_OUTCOME] == "solved"
