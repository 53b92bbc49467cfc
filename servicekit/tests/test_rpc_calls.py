"""The server's chain and the client, over real gRPC with the real contract of cases (GWY-08, GWY-01)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc.aio
import pytest
import structlog
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc
from google.api import annotations_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from rpc_serving import Cases, Running, Tokens, always, fault_of, served, serving
from servicekit.errors import Fault
from servicekit.rpc.client import DEFAULT_SECONDS, MARGIN_SECONDS, READING, Channel
from servicekit.rpc.health import LIVENESS
from servicekit.rpc.server import Server
from servicekit.testing.waiting import eventually

ASK = cases_pb2.GetCaseRequest(case="2611-0042-7315")


@pytest.fixture(params=[False, True], ids=["alone", "together"])
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with serving(together=request.param) as running:
        yield running


async def test_a_use_case_knows_its_caller_and_language(running: Running) -> None:
    answer = await running.stub.GetCase(ASK)
    assert (answer.owner, answer.result) == ("u-agent", "en")
    asked_in_chinese = await running.stub.GetCase(ASK, metadata=(("accept-language", "zh"),))
    assert asked_in_chinese.result == "zh-CN"


async def test_a_fault_comes_back_as_it_was_raised(running: Running) -> None:
    running.cases.raises = [Fault("transition_forbidden", field="stage", state="closed", action="assess", code="x")]
    fault = await fault_of(running.stub.GetCase(ASK))
    assert (fault.code, fault.field) == ("transition_forbidden", "stage")
    assert fault.params == {"state": "closed", "action": "assess", "code": "x"}
    assert "已结案" in fault.text("zh-CN").detail


async def test_long_parameters_never_break_the_answer(running: Running) -> None:
    running.cases.raises = [Fault("case_unknown", case="证" * 50_000)]
    fault = await fault_of(running.stub.GetCase(ASK))
    assert fault.code == "case_unknown"


async def test_a_defect_is_logged_and_told_without_its_inside(running: Running) -> None:
    running.cases.raises = [ZeroDivisionError("secret detail")]
    with structlog.testing.capture_logs() as logs:
        fault = await fault_of(running.stub.GetCase(ASK))
    assert fault.code == "internal"
    assert "secret" not in str(fault.params) + str(fault.text("en"))
    (entry,) = [log for log in logs if log["event"] == "call_failed"]
    assert isinstance(entry["exc_info"], ZeroDivisionError)


async def test_without_a_token_or_with_a_wrong_one_nothing_is_done(running: Running) -> None:
    nobody = Channel(running.server.address)
    stub = cases_pb2_grpc.CaseServiceStub(nobody)
    assert (await fault_of(stub.GetCase(ASK))).code == "unauthenticated"
    for authorization in ("Bearer wrong", "Basic agent", "agent", "Bearer"):
        given = (("authorization", authorization),)
        assert (await fault_of(stub.GetCase(ASK, metadata=given))).code == "token_invalid"
    assert (await fault_of(stub.GetCase(ASK, metadata=(("authorization", "bearer trainer"),)))).code == "role_forbidden"
    assert running.cases.calls == 0
    await nobody.close()


async def test_wrong_fields_are_named_with_their_paths_in_the_callers_language(running: Running) -> None:
    request = cases_pb2.OpenCaseRequest(
        channel="App!", caller=cases_pb2.Caller(phone="call me"), region="cn.gd", subject="x" * 201
    )
    fault = await fault_of(running.stub.OpenCase(request))
    told = {violation.field: violation for violation in fault.violations}
    assert fault.code == "invalid_argument"
    assert set(told) == {"channel", "caller.phone", "subject"}
    assert told["subject"].rule == "string.max_len"
    assert told["subject"].message == "may have at most 200 characters"
    chinese = await fault_of(running.stub.OpenCase(request, metadata=(("accept-language", "zh-CN"),)))
    assert "最多 200 个字符" in [violation.message for violation in chinese.violations]
    assert "call me" not in str([violation.message for violation in fault.violations])
    assert running.cases.calls == 0


async def test_a_rule_about_the_whole_message_is_told_too(running: Running) -> None:
    request = cases_pb2.OpenCaseRequest(channel="app", caller=cases_pb2.Caller(), region="cn", subject="x")
    fault = await fault_of(running.stub.OpenCase(request))
    assert [(violation.field, violation.rule) for violation in fault.violations] == [("", "caller_known")]


async def answered_within(seconds: float, stub: cases_pb2_grpc.CaseServiceStub) -> tuple[float, cases_pb2.Case]:
    """When it was asked, and the answer; asked again where a busy machine has let the time pass."""
    while True:
        asked_at = time.monotonic()
        try:
            return asked_at, await stub.GetCase(ASK, timeout=seconds)
        except Fault as late:
            assert late.code in {"deadline_exceeded", "deadline_too_short"}  # noqa: PT017 -- both ends are right


async def test_the_deadline_is_passed_on_and_a_call_with_too_little_time_is_refused(running: Running) -> None:
    for seconds in (0.5, 0.9999, 1.239, 9.997, 10.0, 12.34, 60.0, 100.0, 100.5):
        asked_at, answer = await answered_within(seconds, running.stub)
        assert float(answer.subject) < seconds, "nobody believes that it has longer than its caller waits"
        assert float(answer.description) > asked_at + seconds * 0.9, "nor much less"
    calls = running.cases.calls
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        await raw.channel_ready()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await cases_pb2_grpc.CaseServiceStub(raw).GetCase(ASK, timeout=0.04)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert running.cases.calls == calls


async def test_a_call_without_a_deadline_gets_one(running: Running) -> None:
    running.cases.released.clear()
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await cases_pb2_grpc.CaseServiceStub(raw).GetCase(ASK, metadata=(("authorization", "Bearer agent"),))
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "too long" in refused.value.details()


async def test_a_call_of_a_call_has_less_time_and_the_same_caller(running: Running) -> None:
    front = Cases()
    front.backend = Channel(running.server.address)
    async with served(front) as server:
        channel = Channel(server.address, lambda: "agent", language="zh-CN")
        stub = cases_pb2_grpc.CaseServiceStub(channel)
        answer = await stub.GetCase(ASK, timeout=DEFAULT_SECONDS)
        assert (answer.owner, answer.result) == ("u-agent", "zh-CN")
        assert float(answer.subject) <= DEFAULT_SECONDS - MARGIN_SECONDS
        running.cases.raises = [Fault("case_unknown", case="x")]
        assert (await fault_of(stub.GetCase(ASK))).code == "case_unknown"
        await channel.close()
        await front.backend.close()


async def test_only_calls_that_may_be_repeated_are_tried_again(running: Running) -> None:
    away = [Fault("unavailable"), Fault("unavailable")]
    running.cases.raises = list(away)
    await running.stub.GetCase(ASK)
    assert running.cases.calls == 3
    request = cases_pb2.OpenCaseRequest(
        channel="app", caller=cases_pb2.Caller(phone="13800001111"), region="cn", subject="no line"
    )
    running.cases.raises = list(away)
    assert (await fault_of(running.stub.OpenCase(request))).code == "unavailable"
    assert running.cases.calls == 4
    request.idempotency_key = uuid4().hex
    running.cases.raises = list(away)
    await running.stub.OpenCase(request)
    assert running.cases.calls == 7


async def test_a_service_that_is_away_is_unavailable_and_found_again(running: Running) -> None:
    address = running.server.address
    await running.stub.GetCase(ASK)
    await running.server.stop(2)
    fault = await fault_of(running.stub.GetCase(ASK))
    assert (fault.code, fault.retryable) == ("unavailable", True)
    again = Server(
        address,
        [(cases_pb2_grpc.add_CaseServiceServicer_to_server, running.cases)],
        tokens=Tokens(),
        is_ready=always,
    )
    await again.start()
    codes: set[str] = set()

    async def is_found() -> bool:
        try:
            await running.stub.GetCase(ASK)
        except Fault as still:
            codes.add(still.code)
            return False
        return True

    await eventually(is_found)
    assert codes <= {"unavailable"}
    await again.stop(1)


async def test_a_running_call_ends_before_the_server_does(running: Running) -> None:
    running.cases.released.clear()
    call = asyncio.create_task(running.stub.GetCase(ASK))
    await eventually(lambda: running.cases.calls == 1)
    stopping = asyncio.create_task(running.server.stop(60))
    await asyncio.wait([stopping], timeout=0.1)
    assert not stopping.done(), "it waits for the call"
    running.cases.released.set()
    await stopping
    assert (await call).owner == "u-agent"


async def test_a_call_that_is_cut_off_by_the_end_of_the_server_is_unavailable(running: Running) -> None:
    running.cases.released.clear()
    call = asyncio.create_task(running.stub.GetCase(ASK))
    await eventually(lambda: running.cases.calls == 1)
    await running.server.stop(0.05)
    assert (await fault_of(call)).code == "unavailable"


async def test_an_address_that_is_taken_is_an_error_with_its_name(running: Running) -> None:
    twin = Server(running.server.address, [], tokens=Tokens(), is_ready=always)
    with pytest.raises(OSError, match=running.server.address):
        await twin.start()


async def test_a_method_that_is_not_there_is_told_so(running: Running) -> None:
    assert (await fault_of(running.stub.PauseCase(cases_pb2.PauseCaseRequest(case="x", reason="y")))).code == "internal"
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        call = raw.unary_unary("/bihuan.intake.v9.CaseService/GetCase")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_health_follows_readiness_and_ends_its_watchers() -> None:
    ready = [True]

    async def is_ready() -> bool:
        if ready[0] is None:
            raise ConnectionError
        return ready[0]

    server = Server("127.0.0.1:0", [], tokens=Tokens(), is_ready=is_ready)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as raw:
        health = health_pb2_grpc.HealthStub(raw)
        for state, status in ((True, "SERVING"), (False, "NOT_SERVING"), (None, "NOT_SERVING"), (True, "SERVING")):
            ready[0] = state
            answer = await health.Check(health_pb2.HealthCheckRequest())
            assert health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status) == status
            alive = await health.Check(health_pb2.HealthCheckRequest(service=LIVENESS))
            assert alive.status == health_pb2.HealthCheckResponse.SERVING, "a restart brings no database back"
        with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
            await health.Check(health_pb2.HealthCheckRequest(service="bihuan.intake.v1.CaseService"))
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        # Far sooner than its time to drain is over, which a watcher would use up and with it the test's.
        await server.stop(600)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_reflection_tells_the_services(running: Running) -> None:
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        stub = reflection_pb2_grpc.ServerReflectionStub(raw)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        await call.done_writing()
    names = {service.name for service in answer.list_services_response.service}
    assert {"bihuan.intake.v1.CaseService", "grpc.health.v1.Health"} <= names


def test_every_method_that_reads_by_http_is_named_as_reading() -> None:
    for service in cases_pb2.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            reads = bool(method.GetOptions().Extensions[annotations_pb2.http].get)
            assert reads is method.name.startswith(READING), method.full_name
