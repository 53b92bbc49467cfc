"""NATS goes away and comes back while cases are played: the desk does not notice, and work goes on by itself."""

from __future__ import annotations

import threading

import pytest
from acting import Cast
from bustraffic import assert_published_once
from insistence import Crowd

pytestmark = pytest.mark.e2e

CASES = 16


def test_work_waits_for_the_bus_and_goes_on(platform, cast: Cast) -> None:
    for _ in range(CASES // 4):
        cast.engineer()
    crowd = Crowd(cast)
    before = crowd.open_cases(CASES // 2)
    play = threading.Thread(target=crowd.play_all, args=(before,))
    play.start()
    platform.stop("nats")
    during = crowd.open_cases(CASES // 2)
    platform.start("nats")
    platform.kill("nats")
    platform.until_healthy("nats")
    play.join()
    crowd.play_all(before + during)
    assert {status for status, _ in crowd.troubles} <= {409, 412}, "no call to a service needs the bus"
    platform.assert_nothing_fell_out(wait=60)
    assert_published_once(platform)
