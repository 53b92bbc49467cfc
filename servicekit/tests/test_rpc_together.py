"""Calls of one moment travel together, and nobody can tell it by their answer (GWY-01, GWY-08, TRC-01)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc
from bihuan.platform.v1 import calls_pb2, calls_pb2_grpc
from google.rpc import status_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rpc_serving import Cases, fault_of, served
from servicekit.errors import Fault
from servicekit.identity import caller, language
from servicekit.rpc.carried import CarriedCalls
from servicekit.rpc.client import Channel
from servicekit.rpc.limits import MOST_CALLS_TOGETHER, MOST_CARRIED_BYTES, MOST_MESSAGE_BYTES
from servicekit.rpc.server import Server
from servicekit.testing.waiting import eventually

# More than one message holds.
MANY = 150
LARGE = 100_000
CASE_A = cases_pb2.Case(case_number="a").SerializeToString()


class Echo(Cases):
    """Answers with what it was asked: `NAME SECONDS CHARACTERS`, how long to wait and how much to say; `held` is until
    it is released."""

    async def GetCase(self, request: cases_pb2.GetCaseRequest, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.calls += 1
        told, pause, length, *_ = [*request.case.split(" "), "0", "0"]
        await (self.released.wait() if pause == "held" else asyncio.sleep(float(pause)))
        if told == "unknown":
            raise Fault("case_unknown", case=request.case)
        return cases_pb2.Case(
            case_number=told, owner=caller(context).user_id, result=language(context), description="长" * int(length)
        )


class Running:
    """A served `Echo`, a channel to it on which calls travel together, and the messages that it got."""

    def __init__(self, cases: Echo, server: Server, channel: Channel, messages: list[int]) -> None:
        self.cases, self.server, self.channel, self.messages = cases, server, channel, messages
        self.stub = cases_pb2_grpc.CaseServiceStub(channel)

    async def ask(self, case: str, token: str = "agent", **options: Any) -> Any:
        """The answer, or the fault. Unless a test says so, nothing ends because a busy machine takes long."""
        options.setdefault("timeout", 60)
        metadata = (("authorization", f"Bearer {token}"), *options.pop("metadata", ()))
        try:
            return await self.stub.GetCase(cases_pb2.GetCaseRequest(case=case), metadata=metadata, **options)
        except Fault as fault:
            return fault


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    messages: list[int] = []
    serve_calls = CarriedCalls.ServeCalls

    async def counted(self: CarriedCalls, request: Any, context: Any) -> None:
        messages.append(len(request.calls))
        await serve_calls(self, request, context)

    monkeypatch.setattr(CarriedCalls, "ServeCalls", counted)
    cases = Echo()
    async with served(cases) as server:
        channel = Channel(server.address, together=True)
        yield Running(cases, server, channel, messages)
        await channel.close()


async def test_each_has_its_own_caller_language_and_outcome(running: Running) -> None:
    english, chinese, refused, unknown, nobody = await asyncio.gather(
        running.ask("1"),
        running.ask("2", metadata=(("accept-language", "zh"),)),
        running.ask("3", token="trainer"),
        running.ask("unknown"),
        running.ask("5", token="forged"),
    )
    assert running.messages == [5]
    assert (english.case_number, english.owner, english.result) == ("1", "u-agent", "en")
    assert (chinese.case_number, chinese.result) == ("2", "zh-CN")
    assert [fault.code for fault in (refused, unknown, nobody)] == ["role_forbidden", "case_unknown", "token_invalid"]
    assert unknown.params == {"case": "unknown"}
    assert running.cases.calls == 3


async def test_a_call_without_companions_comes_alone(running: Running) -> None:
    assert (await running.ask("1")).case_number == "1"
    assert (await running.ask("2")).case_number == "2"
    assert running.messages == []


async def test_no_call_waits_for_a_slower_one(running: Running) -> None:
    slow = asyncio.create_task(running.ask("slow 30"))
    quick = [asyncio.create_task(running.ask(str(number))) for number in range(5)]
    answers = await asyncio.gather(*quick)
    assert [answer.case_number for answer in answers] == list("01234")
    assert running.messages == [6]
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_each_ends_at_its_own_deadline(running: Running) -> None:
    running.cases.released.clear()
    patient = asyncio.create_task(running.ask("patient held"))
    hasty = await running.ask("hasty held", timeout=0.3)
    assert hasty.code == "deadline_exceeded"
    assert not patient.done()
    running.cases.released.set()
    assert (await patient).case_number == "patient"
    assert running.messages == [2]


async def test_one_that_gives_up_takes_nothing_from_the_others(running: Running) -> None:
    async with asyncio.TaskGroup() as group:
        running.cases.released.clear()
        tasks = [group.create_task(running.ask(f"{number} held")) for number in range(3)]
        await eventually(lambda: running.cases.calls == 3)
        tasks[1].cancel()
        running.cases.released.set()
    assert [tasks[0].result().case_number, tasks[2].result().case_number] == ["0", "2"]
    assert tasks[1].cancelled()


# Characters of the request and of the answer.
LENGTHS = st.tuples(st.sampled_from([0, LARGE]), st.sampled_from([0, 10, 1_000, LARGE, 10 * LARGE]))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(LENGTHS, min_size=1, max_size=20))
async def test_every_answer_reaches_its_own_call_whatever_their_sizes(
    running: Running, lengths: list[tuple[int, int]]
) -> None:
    asked = [f"{place} 0 {answer} {'x' * more}".rstrip() for place, (more, answer) in enumerate(lengths)]
    answers = await asyncio.gather(*map(running.ask, asked))
    for place, (more, length) in enumerate(lengths):
        if more:
            assert answers[place].violations[0].field == "case", "too long for the contract"
        else:
            assert (answers[place].case_number, len(answers[place].description)) == (str(place), length)


async def test_more_than_one_message_holds(running: Running) -> None:
    answers = await asyncio.gather(*(running.ask(f"{place} 0 {LARGE}") for place in range(MANY)))
    assert [answer.case_number for answer in answers] == [str(place) for place in range(MANY)]
    assert (max(running.messages), sum(running.messages)) == (64, MANY)


async def test_an_answer_that_no_message_holds_is_refused_without_its_companions(running: Running) -> None:
    quick, large, slow = await asyncio.gather(
        running.ask("quick"), running.ask(f"large 0 {MOST_MESSAGE_BYTES // 3 + 1}"), running.ask("slow 0.5")
    )
    assert running.messages == [3]
    assert (quick.case_number, large.code, slow.case_number) == ("quick", "rate_limited", "slow")
    alone = await running.ask(f"large 0 {MOST_MESSAGE_BYTES // 3 + 1}")
    assert alone.code == large.code


async def test_a_call_with_much_beside_its_request_goes_alone(running: Running) -> None:
    much = (("x-much", "x" * MOST_CARRIED_BYTES),)
    *refused, answer = await asyncio.gather(*(running.ask(case, metadata=much) for case in "ab"), running.ask("c"))
    assert running.messages == []
    assert answer.case_number == "c"
    assert all(isinstance(each, Fault) for each in refused), "gRPC takes 8 kB of metadata"


async def test_more_calls_than_agreed_are_refused(running: Running) -> None:
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        stub = calls_pb2_grpc.CallServiceStub(raw)
        calls = [calls_pb2.CarriedCall()] * (MOST_CALLS_TOGETHER + 1)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ServeCalls(calls_pb2.ServeCallsRequest(calls=calls)).read()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_cannot_be_read_harms_only_itself(running: Running) -> None:
    get_case = "/bihuan.intake.v1.CaseService/GetCase"
    good = calls_pb2.CarriedCall(
        method=get_case,
        request=cases_pb2.GetCaseRequest(case="1").SerializeToString(),
        metadata={"authorization": "Bearer agent"},
    )
    broken = calls_pb2.CarriedCall(method=get_case, request=b"\xff\xff", metadata={"authorization": "Bearer agent"})
    elsewhere = calls_pb2.CarriedCall(method="/bihuan.intake.v9.CaseService/GetCase")
    async with grpc.aio.insecure_channel(running.server.address) as raw:
        stub = calls_pb2_grpc.CallServiceStub(raw)
        answers = {
            answer.call: answer
            async for message in stub.ServeCalls(calls_pb2.ServeCallsRequest(calls=[broken, elsewhere, good]))
            for answer in message.answers
        }
    assert cases_pb2.Case.FromString(answers[2].response).case_number == "1"
    assert answers[0].failure.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answers[1].failure.code == grpc.StatusCode.UNIMPLEMENTED.value[0]


@asynccontextmanager
async def served_by(service: str, **handlers: grpc.RpcMethodHandler[Any, Any]) -> AsyncIterator[Any]:
    """A stub for a server that is not ours, on a channel on which calls travel together."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = Channel(f"127.0.0.1:{port}", together=True)
    yield cases_pb2_grpc.CaseServiceStub(channel)
    await channel.close()
    await server.stop(1)


def answering(*answers: calls_pb2.CarriedAnswer) -> AbstractAsyncContextManager[Any]:
    """A stub for a service that gives these answers, whatever it is asked."""

    async def serve_calls(_request: Any, context: Any) -> None:
        await context.write(calls_pb2.ServeCallsResponse(answers=answers))

    handler = grpc.unary_stream_rpc_method_handler(
        serve_calls, calls_pb2.ServeCallsRequest.FromString, calls_pb2.ServeCallsResponse.SerializeToString
    )
    return served_by("bihuan.platform.v1.CallService", ServeCalls=handler)


async def test_a_service_that_does_not_know_it_yet_gets_them_one_by_one() -> None:
    asked = []

    async def get_case(request: cases_pb2.GetCaseRequest, _context: Any) -> cases_pb2.Case:
        asked.append(request.case)
        return cases_pb2.Case(case_number=request.case)

    handler = grpc.unary_unary_rpc_method_handler(
        get_case, cases_pb2.GetCaseRequest.FromString, cases_pb2.Case.SerializeToString
    )
    async with served_by("bihuan.intake.v1.CaseService", GetCase=handler) as stub:
        calls = [stub.GetCase(cases_pb2.GetCaseRequest(case=case)) for case in "abc"]
        assert [answer.case_number for answer in await asyncio.gather(*calls)] == ["a", "b", "c"]
    assert sorted(asked) == ["a", "b", "c"]


async def test_a_call_that_gets_no_answer_is_told_so() -> None:
    async with answering(calls_pb2.CarriedAnswer(response=CASE_A)) as stub:
        first, last = (stub.GetCase(cases_pb2.GetCaseRequest(case=case)) for case in "ab")
        answer, fault = await asyncio.gather(first, fault_of(last))
    assert (answer.case_number, fault.code) == ("a", "internal")


@pytest.mark.parametrize(
    "wrong",
    [
        calls_pb2.CarriedAnswer(call=7, response=b""),
        calls_pb2.CarriedAnswer(call=1, failure=status_pb2.Status(code=99)),
        calls_pb2.CarriedAnswer(call=1),
    ],
)
async def test_an_answer_that_cannot_be_made_out_is_a_fault(wrong: calls_pb2.CarriedAnswer) -> None:
    async with answering(calls_pb2.CarriedAnswer(response=CASE_A), wrong) as stub:
        first, last = (stub.GetCase(cases_pb2.GetCaseRequest(case=case)) for case in "ab")
        answer, fault = await asyncio.gather(first, fault_of(last))
    assert (answer.case_number, fault.code) == ("a", "internal")


async def test_failed_calls_leave_nothing_to_the_garbage_collector(running: Running) -> None:
    await running.server.stop(1)
    gc.collect()
    gc.disable()
    try:
        faults = await asyncio.gather(*(running.ask(str(number)) for number in range(20)))
        assert [fault.code for fault in faults] == ["unavailable"] * 20
        del faults
        left = [each for each in gc.get_objects() if type(each).__name__ == "_Passenger"]
    finally:
        gc.enable()
    assert left == []


async def test_calls_that_have_not_departed_end_with_their_channel(running: Running) -> None:
    calls = [asyncio.create_task(running.ask(str(number))) for number in range(3)]
    await asyncio.sleep(0)
    await running.channel.close()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
    assert running.cases.calls == 0


async def test_calls_under_way_end_with_their_channel(running: Running) -> None:
    calls = [asyncio.create_task(running.ask(f"{number} 30")) for number in range(3)]
    await eventually(lambda: running.cases.calls == 3)
    await running.channel.close()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


async def test_a_service_that_is_away_is_unavailable_for_each(running: Running) -> None:
    await running.server.stop(1)
    faults = await asyncio.gather(*(running.ask(str(number)) for number in range(3)))
    assert [fault.code for fault in faults] == ["unavailable"] * 3
