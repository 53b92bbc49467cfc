"""Where the time goes: which code holds Python's lock in the processes on the way of a creation, sampled by py-spy.

By package, since single functions are many and small. What the standard library does is its caller's time; what runs
below the event loop without a Python frame of its own (uvloop, gRPC's core, decoding rows) is shown as the loop's.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.figures import Figure
from bench.load import Plan, run_in_own_process
from bench.platform import Platform

GROUP: Final = "profile"
PROCESSES: Final = ("gateway", "intake")
CLIENTS: Final = 64
SERIES: Final = 9_997
SAMPLES_PER_SECOND: Final = 99
# The profilers take a moment to find their way into the processes.
HEAD_START_SECONDS: Final = 2.0
SHOWN: Final = 12
# The frame that holds the event loop.
RUNNER: Final = "asyncio/runners.py"
LOOP: Final = "event loop and what runs below it"
# Our own code is told apart room by room.
_OURS: Final = frozenset({"servicekit", "intake", "gateway", "standards"})


async def measure_profile(platform: Platform, seconds: float) -> list[Figure]:
    """First-time creations. Empty where py-spy may not look into other processes."""
    await platform.until_quiet()
    token = await platform.token()
    with TemporaryDirectory() as folder:
        stacks = {name: Path(folder) / name for name in PROCESSES}
        spies = [await _spy(platform, name, file, seconds) for name, file in stacks.items()]
        await asyncio.sleep(HEAD_START_SECONDS)
        await run_in_own_process(Plan(platform.state.gateway_url, token, CLIENTS, seconds, SERIES))
        for spy in spies:
            await spy.wait()
        return [figure for name, file in stacks.items() if file.exists() for figure in _figures(name, file.read_text())]


async def _spy(platform: Platform, name: str, file: Path, seconds: float) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "py-spy"), "record", "--gil", "--full-filenames",
        "--format", "raw", "--output", str(file),
        "--rate", str(SAMPLES_PER_SECOND), "--duration", f"{HEAD_START_SECONDS + seconds:.0f}",
        "--pid", str(platform.state.processes[name].pid),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


def _figures(process: str, stacks: str) -> list[Figure]:
    """Of lines like `run (/…/runners.py:118);serve (/…/servicekit/rpc/server.py:80) 17`, outermost frame first."""
    samples: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        samples[_charged(frames.split(";"))] += int(count)
    return [
        Figure(GROUP, f"{process}: {package}", count * 100 / samples.total(), "%")
        for package, count in samples.most_common(SHOWN)
    ]


def _charged(frames: list[str]) -> str:
    """Whose time a sample is: that of the innermost frame outside of the standard library."""
    for frame in reversed(frames):
        if RUNNER in frame:
            break
        if package := _package(frame.rpartition("(")[2].rpartition(":")[0]):
            return package
    return LOOP


def _package(file: str) -> str:
    """`sqlalchemy`, `servicekit/messaging`; empty for the standard library."""
    _, installed, inside = file.partition("site-packages/")
    if installed:
        return inside.partition("/")[0].removesuffix(".py")
    parts = file.removesuffix(".py").split("/")
    ours = max((place for place, part in enumerate(parts) if part in _OURS), default=None)
    return "" if ours is None else "/".join(parts[ours : ours + 2])
