"""What the command keeps on disk: whole or not at all, and only for its owner."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from bihuanctl.commands.archivelog import audit
from bihuanctl.platform.files import replacing, write_atomically
from bihuanctl.platform.layout import Layout
from bihuanctl.platform.lock import SupervisorLock
from bihuanctl.platform.processes import ProcessIdentity, end_of, stop_all
from bihuanctl.platform.secrets import open_secrets
from bihuanctl.platform.state import PlatformState, ProcessState, read_running_state, read_state, write_state
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session
from bihuanctl.texts import Texts
from click import Command
from servicekit.embedded.ports import free_ports, is_free


def _state(supervisor: ProcessIdentity) -> PlatformState:
    return PlatformState(
        supervisor_pid=supervisor.pid,
        supervisor_started=supervisor.started,
        up_since=datetime(2026, 11, 22, tzinfo=UTC),
        gateway_url="http://127.0.0.1:8080",
        nats_url="nats://127.0.0.1:4222",
        clock_adjustable=True,
        targets={"intake": "127.0.0.1:20000"},
        processes={"intake": ProcessState(condition="healthy", pid=1, started=2.0, port=20000)},
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.chosen({"BIHUAN_HOME": str(tmp_path / "home")})
    made.create()
    return made


def test_the_state_survives_a_round_trip_and_is_private(layout: Layout) -> None:
    state = _state(ProcessIdentity.own())
    write_state(layout.state, state)
    assert read_state(layout.state) == state
    assert read_running_state(layout.state) == state
    assert layout.state.stat().st_mode & 0o777 == 0o600


def test_a_state_left_by_a_dead_supervisor_is_not_taken_for_running(layout: Layout) -> None:
    own = ProcessIdentity.own()
    # The same pid, started at another time: somebody else by now.
    write_state(layout.state, _state(ProcessIdentity(own.pid, own.started - 3600)))
    assert read_state(layout.state) is not None
    assert read_running_state(layout.state) is None


@pytest.mark.parametrize("content", ["", "{", "{}", "null", '{"supervisor_pid": "x"}'])
def test_an_unreadable_state_is_no_state(layout: Layout, content: str) -> None:
    layout.state.write_text(content)
    assert read_state(layout.state) is None


def test_a_home_that_cannot_be_one_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for home in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/bihuan")):
        layout = Layout(home)
        assert read_state(layout.state) is None
        with pytest.raises(Refusal, match="home_unusable") as refused:
            layout.create()
        assert refused.value.params["home"] == str(home)
        assert refused.value.params["reason"]


def test_a_state_that_is_not_ours_to_read_is_refused(layout: Layout) -> None:
    layout.state.mkdir()  # nobody can read a folder as a file, not even root
    with pytest.raises(Refusal, match="home_unusable"):
        read_running_state(layout.state)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_broken_off_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as file:
        file.write(b"old")
    with pytest.raises(ConnectionError), replacing(path) as file:
        file.write(b"half")
        raise ConnectionError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_rec04_an_audit_that_fails_leaves_the_log_that_was_kept_before(layout: Layout, tmp_path: Path) -> None:
    kept = tmp_path / "log.jsonl"
    kept.write_text("an earlier audit\n")
    context = typer.Context(Command("audit"), obj=Session(Texts("en"), layout))
    with pytest.raises(Refusal, match="not_running"):
        audit(context, kept)
    assert kept.read_text() == "an earlier audit\n"


def test_secrets_are_made_once_and_only_what_is_missing_is_added(layout: Layout) -> None:
    first = open_secrets(layout.secrets, ["intake"])
    assert layout.secrets.stat().st_mode & 0o777 == 0o600
    assert open_secrets(layout.secrets, ["intake"]) == first
    more = open_secrets(layout.secrets, ["intake", "dispatch"])
    assert more.master_key == first.master_key
    assert more.database["intake"] == first.database["intake"]
    assert more.database["dispatch"] not in ("", more.database["intake"])


def test_only_one_holds_the_home_and_its_death_frees_it(layout: Layout) -> None:
    code = "import sys; from pathlib import Path; from bihuanctl.platform.lock import SupervisorLock as L\n"
    code += "print(L(Path(sys.argv[1])).acquire(), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(layout.lock)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "True\n"
    mine = SupervisorLock(layout.lock)
    assert mine.acquire() is False
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    with mine:
        assert mine.acquire() is True


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports()
    chosen = [next(ports) for _ in range(20)]
    assert len(set(chosen)) == 20
    assert all(is_free(port) for port in chosen)


def test_an_identity_is_of_one_life(layout: Layout) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    identity = ProcessIdentity.of(child.pid)
    assert identity is not None
    assert identity.alive
    assert not ProcessIdentity(identity.pid, identity.started - 10).alive
    stop_all([identity], patience=10)
    assert not identity.alive
    child.wait()
    assert ProcessIdentity.of(child.pid) is None


async def test_the_end_of_a_child_is_noticed(layout: Layout) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    await end_of(child.pid)
    assert child.wait() == 0
    assert os.getpid() != child.pid
