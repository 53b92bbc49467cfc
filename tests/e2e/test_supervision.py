"""What a platform survives: a killed supervisor, a power cut, two starts at once, servers that exist already."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from guard import guarded
from servicekit.embedded.nats import EmbeddedNats
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.messaging.users import SERVICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def own_platform(platform: Any) -> Iterator[Any]:
    """A second platform that a test may ruin, not started yet; its home lies deep, as some do."""
    root = Path(tempfile.mkdtemp(prefix="bihuan-e2e-own-"))
    home = root / ("deep" * 20) / ("down" * 10)
    home.mkdir(parents=True)
    for folder in (root, home.parent, home):
        folder.chmod(0o755)
    own = type(platform)(home)
    with guarded(root, own.environment):
        yield own
        own.down()
        shutil.rmtree(root)


def _pids(platform: Any) -> dict[str, int]:
    state = platform.json("status")
    return {"supervisor": state["supervisor_pid"]} | {
        name: process["pid"] for name, process in state["processes"].items()
    }


def test_one_platform_comes_of_two_starts_and_outlives_its_supervisor_and_a_power_cut(own_platform: Any) -> None:
    _start_twice_at_once(own_platform)
    before = _pids(own_platform)
    os.kill(before["supervisor"], signal.SIGKILL)
    assert own_platform.run("status").returncode == 1
    state = own_platform.up()
    assert state["already_running"] is False
    assert _alive(before) == set(), "a killed supervisor takes its children along"
    # Next, a power cut.
    for pid in _pids(own_platform).values():
        os.kill(pid, signal.SIGKILL)
    own_platform.up()
    own_platform.assert_nothing_fell_out()
    before = _pids(own_platform)
    own_platform.json("down")
    assert _alive(before) == set()
    assert own_platform.json("down") == {"stopped_processes": 0}
    assert own_platform.run("events").returncode == 1


def _start_twice_at_once(platform: Any) -> None:
    command = [sys.executable, "-m", "bihuanctl.main", "up", "--detach", "--port", "0", "--json"]
    starts = [subprocess.Popen(command, env=platform.environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [start.communicate(timeout=200)[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert sorted('"already_running": true' in answer for answer in answers) == [False, True]


def _alive(pids: dict[str, int]) -> set[int]:
    return {pid for pid in pids.values() if psutil.pid_exists(pid)}


def test_a_start_that_cannot_succeed_says_why_and_leaves_nothing(own_platform: Any, platform: Any) -> None:
    taken = platform.gateway_url.rpartition(":")[2]
    refused = own_platform.run_anew("up", "--detach", "--port", taken)
    assert refused.returncode == 1
    assert taken in refused.stderr
    own_platform.environment["BIHUAN_RELAY_BATCH"] = "many"
    refused = own_platform.run_anew("up", "--detach", "--port", "0")
    assert refused.returncode == 1
    assert "BIHUAN_RELAY_BATCH" in refused.stderr
    assert own_platform.run("status").returncode == 1


@pytest.mark.usefixtures("operator")  # the servers are shared with tests that leave messages behind: empty the streams
async def test_servers_that_exist_already_are_used(
    own_platform: Any, postgres_server: EmbeddedPostgres, nats_server: EmbeddedNats
) -> None:
    own_platform.environment |= {
        "BIHUAN_DATABASE_URL": postgres_server.url,
        "BIHUAN_NATS_URL": nats_server.url,
        "BIHUAN_NATS_USER": "operator",
        "BIHUAN_NATS_PASSWORD": nats_server.password("operator"),
    }
    own_platform.up()
    assert set(own_platform.json("status")["processes"]) == {*SERVICES, "gateway"}
    own_platform.assert_nothing_fell_out()
