"""The supervisor's parts with real processes: what dies is started again, what is stopped stays stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from bihuanctl.platform.layout import Layout
from bihuanctl.refusal import Refusal
from bihuanctl.supervisor import control
from bihuanctl.supervisor.assembly import assemble
from bihuanctl.supervisor.background import hear_until_ready
from bihuanctl.supervisor.backoff import FIRST_WAIT, LONGEST_WAIT, SOUND_AFTER, Backoff
from bihuanctl.supervisor.child import Program, run_to_end
from bihuanctl.supervisor.health import http_probe, tcp_probe
from bihuanctl.supervisor.keeper import Keeper
from bihuanctl.supervisor.options import StartOptions
from bihuanctl.supervisor.precedence import NICENESS, give_way
from bihuanctl.supervisor.progress import Progress, step
from hypothesis import given
from hypothesis import strategies as st
from servicekit.embedded.processes import EmbeddedServerError
from servicekit.testing.waiting import eventually

SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
BROKEN = "import sys; sys.exit('BIHUAN_NATS_URL: missing')"


class Kept:
    """A keeper of one small program, and what it reported."""

    def __init__(self, code: str, folder: Path, *, well: bool = True, gives_way: bool = False) -> None:
        self.reports: list[Progress] = []
        self.states: list[str] = []

        async def probe() -> bool:
            return well

        program = Program(
            "sleeper",
            1,
            [sys.executable, "-c", code],
            lambda: dict(os.environ),
            folder / "log",
            probe,
            gives_way=gives_way,
        )
        self.keeper = Keeper(program, patience=5, changed=self._changed, report=self.reports.append)

    def _changed(self) -> None:
        self.states.append(self.keeper.state.condition)

    @property
    def pid(self) -> int:
        pid = self.keeper.state.pid
        assert pid is not None
        return pid


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Any]:
    """Makes kept programs and stops them all."""
    made: list[Kept] = []

    def make(code: str = SLEEPER, *, well: bool = True, gives_way: bool = False) -> Kept:
        made.append(Kept(code, tmp_path, well=well, gives_way=gives_way))
        return made[-1]

    yield make
    for one in made:
        one.keeper.hurry()
        await one.keeper.stop()


async def test_what_dies_is_started_again(kept: Any) -> None:
    sleeper = kept()
    await sleeper.keeper.start()
    await sleeper.keeper.until_well(60)
    first = sleeper.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: sleeper.states.count("healthy") == 2)
    assert sleeper.pid != first
    assert [report.condition for report in sleeper.reports] == ["begun", "done", "failed", "begun", "done"]
    assert "status -9" in sleeper.reports[2].reason


async def test_who_gives_way_has_the_processors_after_the_others_also_when_started_again(kept: Any) -> None:
    first, behind = kept(), kept(gives_way=True)
    for sleeper in (first, behind):
        await sleeper.keeper.start()
        await sleeper.keeper.until_well(60)
    os.kill(behind.pid, signal.SIGKILL)
    await eventually(lambda: behind.states.count("healthy") == 2)
    usual = os.nice(0)
    assert (psutil.Process(first.pid).nice(), psutil.Process(behind.pid).nice()) == (usual, max(usual, NICENESS))
    for sleeper, niceness in ((first, 0), (behind, NICENESS)):
        session = Path(f"/proc/{sleeper.pid}/autogroup")
        assert not session.exists() or session.read_text().split()[-1] == str(niceness)


async def test_what_has_ended_cannot_give_way_and_harms_nobody() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    await give_way(ended.pid)


async def test_a_system_that_refuses_precedence_does_not_end_the_keeper(kept: Any, monkeypatch: Any) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    sleeper = kept(gives_way=True)
    await sleeper.keeper.start()
    await sleeper.keeper.until_well(60)
    os.kill(sleeper.pid, signal.SIGKILL)
    await eventually(lambda: sleeper.states.count("healthy") == 2)


async def test_what_is_stopped_stays_stopped_until_it_is_started(kept: Any) -> None:
    sleeper = kept()
    await sleeper.keeper.start()
    await sleeper.keeper.until_well(60)
    pid = sleeper.pid
    await sleeper.keeper.stop()
    await sleeper.keeper.stop()
    assert not psutil.pid_exists(pid)
    assert sleeper.keeper.state.condition == "stopped"
    await sleeper.keeper.start()
    await sleeper.keeper.until_well(60)
    assert sleeper.states == ["starting", "starting", "healthy", "stopped", "starting", "starting", "healthy"]


async def test_what_ignores_the_signal_is_killed(kept: Any) -> None:
    stubborn = kept(STUBBORN)
    await stubborn.keeper.start()
    await stubborn.keeper.until_well(60)
    pid = stubborn.pid
    stubborn.keeper.hurry()
    await stubborn.keeper.stop()
    assert not psutil.pid_exists(pid)


async def test_what_never_starts_says_its_last_words_soon(kept: Any) -> None:
    broken = kept(BROKEN, well=False)
    await broken.keeper.start()
    with pytest.raises(EmbeddedServerError, match="BIHUAN_NATS_URL: missing"):
        await broken.keeper.until_well(60)


async def test_what_does_not_become_well_in_time_is_reported(kept: Any) -> None:
    ill = kept(well=False)
    await ill.keeper.start()
    with pytest.raises(EmbeddedServerError, match="not healthy after"):
        await ill.keeper.until_well(0.3)


async def test_a_program_that_must_end_ends_or_is_named(tmp_path: Path) -> None:
    await run_to_end("fine", [sys.executable, "-c", ""], os.environ, tmp_path / "log", patience=30)
    with pytest.raises(EmbeddedServerError, match="failed with status 1"):
        await run_to_end("broken", [sys.executable, "-c", BROKEN], os.environ, tmp_path / "log", patience=30)
    with pytest.raises(EmbeddedServerError, match="did not end"):
        await run_to_end("endless", [sys.executable, "-c", SLEEPER], os.environ, tmp_path / "log", patience=0.2)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", "start_stopped"),
        ("raise SystemExit(3)", r"supervisor_ended \(status=3\)"),
        ("import os; os.kill(os.getpid(), 9)", r"supervisor_ended \(status=-9\)"),
    ],
)
def test_a_supervisor_that_ends_before_it_is_ready_is_told_from_one_that_was_stopped(program: str, code: str) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        ) as supervisor,
        pytest.raises(Refusal, match=code),
    ):
        hear_until_ready(supervisor, lambda _progress: None)


def test_a_wrong_number_of_seconds_is_named_before_anything_starts(tmp_path: Path) -> None:
    for wrong in ("soon", "-1", "nan", "inf"):
        with pytest.raises(Refusal, match=r"setting_wrong \(name=BIHUAN_DRAIN_SECONDS\)"):
            assemble(Layout(tmp_path), StartOptions(), {"BIHUAN_DRAIN_SECONDS": wrong})


@given(st.lists(st.floats(0, 100)))
def test_the_wait_grows_to_a_bound_and_starts_over_after_a_sound_run(runs: list[float]) -> None:
    backoff = Backoff()
    last = 0.0
    for seconds in runs:
        wait = backoff.after_run_of(seconds)
        assert FIRST_WAIT <= wait <= LONGEST_WAIT
        assert wait >= last or seconds >= SOUND_AFTER
        last = wait
    assert backoff.after_run_of(SOUND_AFTER) == FIRST_WAIT


async def test_probes_tell_who_answers_from_who_does_not() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1]
        status = "200 OK" if path == b"/readyz" else "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        # On a busy machine not every look is answered in time.
        await eventually(http_probe("127.0.0.1", port, "/readyz"))
        assert not await http_probe("127.0.0.1", port, "/busy")()
        await eventually(tcp_probe("127.0.0.1", port))
    assert not await http_probe("127.0.0.1", port, "/readyz")()
    assert not await tcp_probe("127.0.0.1", port)()


async def test_the_control_socket_carries_answers_and_refusals_also_in_a_deep_home(tmp_path: Path) -> None:
    path = tmp_path / ("deep" * 20) / ("down" * 20) / "control.sock"
    path.parent.mkdir(parents=True)

    async def handle(action: str, process: str) -> dict[str, Any]:
        if process == "billing":
            raise Refusal("process_unknown", name=process, known="intake")
        return {"did": f"{action} {process}"}

    path.touch()  # left by one that was killed
    ears = await control.listen(path, handle)
    async with ears:
        assert path.stat().st_mode & 0o777 == 0o600
        assert await asyncio.to_thread(control.ask, path, "restart", "intake") == {"did": "restart intake"}
        with pytest.raises(Refusal) as refused:
            await asyncio.to_thread(control.ask, path, "restart", "billing")
        assert (refused.value.code, refused.value.params["name"]) == ("process_unknown", "billing")
        with pytest.raises(Refusal) as unheard:
            await asyncio.to_thread(control.ask, path.with_name("nobody.sock"), "stop", "intake")
        assert unheard.value.code == "not_running"


async def test_a_step_reports_its_begin_and_its_end_or_its_failure() -> None:
    reports: list[Progress] = []
    async with step(reports.append, "streams"):
        pass
    with pytest.raises(ValueError, match="no room"):
        async with step(reports.append, "issuer"):
            raise ValueError("no room")
    assert [(report.step, report.condition, report.reason) for report in reports] == [
        ("streams", "begun", ""),
        ("streams", "done", ""),
        ("issuer", "begun", ""),
        ("issuer", "failed", "no room"),
    ]
    assert Progress(**json.loads(reports[3].to_line())) == reports[3]
