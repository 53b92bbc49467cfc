"""The `bihuan` command in processes that are forked from one that has read its libraries already.

Each is a process of its own with its own arguments, environment, output and exit status, as a person's call is; only
the second is saved in which a new Python reads the libraries, and a run makes hundreds of calls.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from bihuanctl.main import app

import bihuanctl

_FORKS = multiprocessing.get_context("forkserver")
# All of it, since a command reads most of what it needs only when it is called.
_FORKS.set_forkserver_preload([module.name for module in pkgutil.walk_packages(bihuanctl.__path__, "bihuanctl.")])
# Two threads must not both look whether a process is over.
_ONE_AT_A_TIME = threading.Lock()
_STDOUT, _STDERR = 1, 2


def run(arguments: Sequence[str], environment: Mapping[str, str], patience: float) -> subprocess.CompletedProcess[str]:
    """Runs `bihuan …` to its end, whatever its exit status. Raises TimeoutExpired after `patience` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder, "stdout"), Path(folder, "stderr")
        for file in (said, complained):
            file.touch()
        with _ONE_AT_A_TIME:
            process = _FORKS.Process(target=_call, args=(arguments, environment, said, complained))
            process.start()
            process.join(patience)
            if (status := process.exitcode) is None:
                process.kill()
                process.join()
            process.close()
        command, texts = ["bihuan", *arguments], [file.read_text(encoding="utf-8") for file in (said, complained)]
    if status is None:
        raise subprocess.TimeoutExpired(command, patience, *texts)
    return subprocess.CompletedProcess(command, status, *texts)


def _call(arguments: Sequence[str], environment: Mapping[str, str], said: Path, complained: Path) -> None:
    for file, descriptor in ((said, _STDOUT), (complained, _STDERR)):
        os.dup2(os.open(file, os.O_WRONLY), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["bihuan", *arguments]
    app()
