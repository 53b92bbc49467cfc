"""Starting the supervisor in the background, and hearing how it goes until it is ready."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from pydantic import BaseModel, Field

from bihuanctl.platform.layout import Layout
from bihuanctl.platform.state import PlatformState
from bihuanctl.refusal import Refusal
from bihuanctl.supervisor.options import StartOptions
from bihuanctl.supervisor.progress import Progress, Report


class Outcome(BaseModel):
    """The supervisor's last line: ready with this state, or refused."""

    state: PlatformState | None = None
    refused: str = ""
    params: dict[str, str] = Field(default_factory=dict)

    def to_line(self) -> str:
        return json.dumps({"outcome": self.model_dump(mode="json")}, ensure_ascii=False)


def start_in_background(
    layout: Layout, options: StartOptions, environment: Mapping[str, str], report: Report
) -> PlatformState:
    """Returns when the platform is healthy. Raises Refusal, then nothing is left running."""
    layout.create()
    with layout.log("supervisor").open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-m", "bihuanctl.supervisor", *_arguments(options)],
            env={**environment, "BIHUAN_HOME": str(layout.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            encoding="utf-8",
        )
    try:
        return hear_until_ready(supervisor, report)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise


def _arguments(options: StartOptions) -> list[str]:
    port = [] if options.port is None else ["--port", str(options.port)]
    return [*port, *(["--clock-adjustable"] if options.clock_adjustable else [])]


def hear_until_ready(supervisor: subprocess.Popen[str], report: Report) -> PlatformState:
    """Passes on what a supervisor says of its start. Raises Refusal when it does not get ready."""
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        said = json.loads(line)
        if "outcome" not in said:
            report(Progress(**said))
            continue
        outcome = Outcome.model_validate(said["outcome"])
        if outcome.state is not None:
            # It lives on after us: we won't wait for it, and Python need not mention that.
            supervisor.returncode = 0
            return outcome.state
        raise Refusal(outcome.refused, **outcome.params)
    status = supervisor.wait()
    if status == 0:
        raise Refusal("start_stopped")
    raise Refusal("supervisor_ended", status=status)
