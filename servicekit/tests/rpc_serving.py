"""A service of cases, served for the tests by the real server and asked by the real client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc
from servicekit.errors import Fault
from servicekit.identity import Principal, caller, current_call, language
from servicekit.rpc.client import Channel
from servicekit.rpc.interceptors.budget import Budget
from servicekit.rpc.server import Server

PRINCIPALS = {
    "agent": Principal("u-agent", frozenset({"agent"}), "cn.gd", language="en"),
    "trainer": Principal("u-trainer", frozenset({"trainer"}), "cn"),
}


class Tokens:
    async def verify(self, token: str) -> Principal:
        if token not in PRINCIPALS:
            raise Fault("token_invalid")
        return PRINCIPALS[token]


class Cases(cases_pb2_grpc.CaseServiceServicer):
    """Answers with what it saw of the call, or does what a test tells it to. The `subject` is the time that was left
    to answer, the `description` the moment when that is over, on the clock of time.monotonic()."""

    def __init__(self) -> None:
        self.calls = 0
        self.raises: list[Exception] = []
        # While it is not set, calls under way go no further.
        self.released = asyncio.Event()
        self.released.set()
        self.backend: Channel | None = None

    async def GetCase(self, request: cases_pb2.GetCaseRequest, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.calls += 1
        await self.released.wait()
        if self.raises:
            raise self.raises.pop(0)
        if self.backend:
            return await cases_pb2_grpc.CaseServiceStub(self.backend).GetCase(request)
        call = current_call()
        assert call
        left = call.deadline - time.monotonic()
        return cases_pb2.Case(
            case_number=request.case,
            owner=caller(context).user_id,
            result=language(context),
            subject=f"{left:.6f}",
            description=f"{call.deadline:.6f}",
        )

    async def OpenCase(self, request: cases_pb2.OpenCaseRequest, context: Any) -> cases_pb2.OpenCaseResponse:  # noqa: N802
        self.calls += 1
        if self.raises:
            raise self.raises.pop(0)
        return cases_pb2.OpenCaseResponse(case=cases_pb2.Case(channel=request.channel))


class Running:
    """A served `Cases` and a stub for it."""

    def __init__(self, cases: Cases, server: Server, channel: Channel | Accompanied) -> None:
        self.cases, self.server = cases, server
        self.stub = cases_pb2_grpc.CaseServiceStub(channel)


class Accompanied:
    """A channel on which no call travels alone: with each goes one that nobody serves."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def unary_unary(self, method: str, **marshalling: Any) -> Any:
        call = self._channel.unary_unary(method, **marshalling)
        nobody = self._channel.unary_unary("/bihuan.intake.v1.CaseService/Nothing", **marshalling)

        async def accompanied(request: Any, **options: Any) -> Any:
            answer, companion = await asyncio.gather(call(request, **options), nobody(request), return_exceptions=True)
            assert isinstance(companion, Fault)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return accompanied


async def always() -> bool:
    return True


@asynccontextmanager
async def served(cases: Cases, budget: Budget = Budget()) -> AsyncIterator[Server]:  # noqa: B008 -- immutable
    servicer = (cases_pb2_grpc.add_CaseServiceServicer_to_server, cases)
    server = Server("127.0.0.1:0", [servicer], tokens=Tokens(), is_ready=always, budget=budget)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(2)


@asynccontextmanager
async def serving(*, together: bool = False) -> AsyncIterator[Running]:
    """`together`: every call travels with another one."""
    cases = Cases()
    async with served(cases, budget=Budget(least=0.05, default=0.3)) as server:
        channel = Channel(server.address, lambda: "agent", together=together)
        try:
            yield Running(cases, server, Accompanied(channel) if together else channel)
        finally:
            await channel.close()


async def fault_of(call: Any) -> Fault:
    with pytest.raises(Fault) as raised:
        await call
    return raised.value
