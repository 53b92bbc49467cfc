"""The contracts keep buf's rules, and nothing that was released is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bihuan

ROOT = Path(__file__).parents[2]
IMAGE = Path(bihuan.__file__).parent / "contracts.binpb"
OPTIONS = ("--path", "bihuan", "--config", str(ROOT / "proto" / "buf.yaml"))


def buf(*arguments: str) -> None:
    """Runs buf beside the interpreter; fails with what it says."""
    command = [str(Path(sys.executable).parent / "buf"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_are_clean() -> None:
    buf("lint", str(IMAGE), *OPTIONS)


def test_nothing_released_is_broken() -> None:
    buf("breaking", str(IMAGE), "--against", str(ROOT / "proto" / "released.binpb"), *OPTIONS)


def test_the_generated_code_is_that_of_the_contracts() -> None:
    """An edit in proto/ without generating again would test yesterday's contracts."""
    newest = max(file.stat().st_mtime for file in (ROOT / "proto" / "bihuan").rglob("*.proto"))
    assert IMAGE.stat().st_mtime >= newest, "run `make proto`"
