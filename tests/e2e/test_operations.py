"""What an operator does every day: start twice, look, restart, stop (issue part 2)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from servicekit.messaging.users import SERVICES

pytestmark = pytest.mark.e2e


def test_up_a_second_time_is_harmless(platform: Any) -> None:
    before = platform.process("intake")["pid"]
    state = platform.up()
    assert state["already_running"] is True
    assert state["ready"] is True
    assert platform.process("intake")["pid"] == before


def test_status_names_every_process(platform: Any) -> None:
    # A process that was busy for a moment counts as unhealthy until it is asked again.
    platform.eventually(lambda: platform.json("status", allowed=(0, 1))["healthy"], "the platform is not healthy")
    state = platform.json("status", allowed=(0, 1))
    assert set(state["processes"]) == {"postgres", "nats", *SERVICES, "gateway"}


@pytest.mark.parametrize("name", ["intake", "gateway", "nats", "postgres"])
def test_what_is_killed_comes_back_and_the_loop_is_whole(platform: Any, name: str) -> None:
    platform.kill(name)
    platform.until_healthy(name)
    platform.eventually(lambda: platform.run("status").returncode == 0, "the platform is not healthy again")
    platform.assert_nothing_fell_out()


def test_a_stopped_process_stays_stopped_until_it_is_started(platform: Any) -> None:
    platform.stop("records")
    assert platform.process("records")["condition"] == "stopped"
    assert platform.run("status").returncode == 1
    assert [finding["code"] for finding in platform.check(wait=0)["findings"]] == ["silent"]
    platform.start("records")
    platform.assert_nothing_fell_out()


def test_an_unknown_process_is_refused_with_the_known_ones(platform: Any) -> None:
    done = platform.run("restart", "billing")
    assert done.returncode == 1
    assert "intake" in done.stderr


def test_the_clock_goes_forward_only_as_far_as_asked(platform: Any) -> None:
    began, before = time.monotonic(), platform.now()
    moved = (platform.advance("2h") - before).total_seconds()
    assert 7200 <= moved < 7200 + time.monotonic() - began
    refused = platform.run("clock", "advance", "yesterday")
    assert refused.returncode == 1
    assert "yesterday" in refused.stderr
