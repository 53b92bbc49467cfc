"""Whoever moves platform time on waits until the services know it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bihuan.platform.v1.inspection_pb2 import Backlog, GetBacklogRequest
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceServicer, add_InspectionServiceServicer_to_server
from bihuanctl.platform.channels import channels
from bihuanctl.platform.hearing import has_heard, until_heard
from servicekit.identity import Principal
from servicekit.rpc.server import Server

DAY = timedelta(days=1)
# A port that nobody serves.
NOWHERE = "127.0.0.1:1"


class Tokens:
    async def verify(self, token: str) -> Principal:
        return Principal("u", frozenset({token}))


class HearsAtLast(InspectionServiceServicer):
    """Learns the time when it is asked for the third time."""

    def __init__(self) -> None:
        self.asked = 0

    async def GetBacklog(self, _request: GetBacklogRequest, _context: Any) -> Backlog:  # noqa: N802
        self.asked += 1
        return Backlog(clock_ahead=DAY if self.asked > 2 else timedelta())


async def always() -> bool:
    return True


async def test_who_neither_hears_nor_is_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bihuanctl.platform.hearing.PATIENCE_SECONDS", 0.2)
    servicers = [(add_InspectionServiceServicer_to_server, HearsAtLast())]
    server = Server("127.0.0.1:0", servicers, tokens=Tokens(), is_ready=always)
    await server.start()
    try:
        async with channels({"deaf": server.address}, "administrator", "en") as opened:
            with pytest.raises(TimeoutError):
                await until_heard(opened, 2 * DAY)
    finally:
        await server.stop(1)


async def test_each_service_is_asked_until_it_knows_and_who_is_away_is_passed_over() -> None:
    late = HearsAtLast()
    servicers = [(add_InspectionServiceServicer_to_server, late)]
    server = Server("127.0.0.1:0", servicers, tokens=Tokens(), is_ready=always)
    await server.start()
    try:
        async with channels({"away": NOWHERE, "late": server.address}, "administrator", "en") as opened:
            await until_heard(opened, DAY)
    finally:
        await server.stop(1)
    assert late.asked == 3


@pytest.mark.parametrize(
    ("ahead", "heard"),
    [(DAY, True), (DAY - timedelta(milliseconds=900), True), (DAY * 2, True), (DAY - timedelta(minutes=1), False)],
)
def test_a_service_has_heard_when_it_is_as_far_ahead_but_for_a_moment(ahead: timedelta, heard: bool) -> None:
    assert has_heard(Backlog(clock_ahead=ahead), DAY) is heard
