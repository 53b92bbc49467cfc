"""`python -m bihuanctl.supervisor`: the supervisor in the background, as `bihuan up --detach` starts it.

Says on standard output how the start goes, a line of JSON for each step, then closes it and stays.
"""

from __future__ import annotations

import argparse
import os
import sys

from bihuanctl.platform.layout import Layout
from bihuanctl.platform.state import PlatformState
from bihuanctl.refusal import EXIT_FAILED, Refusal
from bihuanctl.supervisor.background import Outcome
from bihuanctl.supervisor.options import StartOptions
from bihuanctl.supervisor.progress import Progress
from bihuanctl.supervisor.running import run_platform


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    arguments.add_argument("--clock-adjustable", action="store_true")
    asked = arguments.parse_args()
    try:
        run_platform(
            Layout.chosen(os.environ),
            StartOptions(port=asked.port, clock_adjustable=asked.clock_adjustable),
            os.environ,
            report=_report,
            ready=_ready,
        )
    except Refusal as refusal:
        _say(Outcome(refused=refusal.code, params=refusal.params).to_line())
        raise SystemExit(EXIT_FAILED) from None


def _report(progress: Progress) -> None:
    _say(progress.to_line())


def _ready(state: PlatformState) -> None:
    _say(Outcome(state=state).to_line())
    # Nobody listens any more from here on.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _say(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the command that started us was interrupted; it also told us to stop
        pass


if __name__ == "__main__":
    main()
