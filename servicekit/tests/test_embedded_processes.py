"""Starting programs from a process full of threads: nothing of it is forked, and nothing of it stays with them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from rpc_serving import serving
from servicekit.embedded.processes import launch
from test_rpc_calls import ASK

STARTS = 20
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and dies with its parent")


async def test_programs_start_beside_grpcs_threads_without_a_fork_of_them(tmp_path: Path, capfd) -> None:
    """gRPC tells of every fork; one in some hundred children dies of it before it is the program (grpc/grpc#43055)."""
    async with serving() as running:
        await running.stub.GetCase(ASK)
        for _ in range(STARTS):
            started = launch([sys.executable, "-S", "-c", ""], log=tmp_path / "log", death_signal=signal.SIGKILL)
            assert await started.wait(30) == 0, started.log_tail()
    assert "fork" not in capfd.readouterr().err


@only_linux
async def test_a_program_ignores_no_signal_that_its_starter_does_not(tmp_path: Path) -> None:
    started = launch(["grep", "SigIgn", "/proc/self/status"], log=tmp_path / "log", death_signal=signal.SIGKILL)
    assert await started.wait(30) == 0
    told = int(started.log_tail().split()[1], 16)
    ignored = {number for number in signal.valid_signals() if told >> (number - 1) & 1}
    # What a shell has the tests ignore, as it does to what it starts in the background, is not ours to hear again;
    # Python itself ignores two, and means only itself.
    of_the_starter = {number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN}
    assert ignored == of_the_starter - {signal.SIGPIPE, signal.SIGXFSZ}


async def test_a_program_that_is_not_there_says_so_in_its_log(tmp_path: Path) -> None:
    started = launch([tmp_path / "nothing"], log=tmp_path / "log", death_signal=signal.SIGKILL)
    assert await started.wait(30) != 0
    assert f"{tmp_path}/nothing: No such file or directory" in started.log_tail()
