"""What runs, as the supervisor last wrote it: `.bihuan/run/platform.json`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bihuanctl.platform.files import write_atomically
from bihuanctl.platform.processes import ProcessIdentity
from bihuanctl.refusal import Refusal

ProcessCondition = Literal["starting", "healthy", "unhealthy", "restarting", "stopped"]


class ProcessState(BaseModel):
    """One process of the platform."""

    model_config = ConfigDict(frozen=True)

    condition: ProcessCondition
    # Absent while it does not run.
    pid: int | None = None
    # Seconds since the epoch; tells the process from a later one with the same pid.
    started: float | None = None
    # Where it listens: gRPC for a service, HTTP for the gateway, its own protocol for a server.
    port: int
    restarts: int = 0

    @property
    def identity(self) -> ProcessIdentity | None:
        return None if self.pid is None or self.started is None else ProcessIdentity(self.pid, self.started)


class PlatformState(BaseModel):
    """The whole platform on this machine."""

    model_config = ConfigDict(frozen=True)

    supervisor_pid: int
    supervisor_started: float
    up_since: datetime
    # Every process has been healthy since this start.
    ready: bool = False
    # From the call of `up` to healthy.
    start_seconds: float | None = None
    gateway_url: str
    nats_url: str
    clock_adjustable: bool
    # gRPC address of each service.
    targets: dict[str, str]
    processes: dict[str, ProcessState] = Field(default_factory=dict)

    @property
    def supervisor(self) -> ProcessIdentity:
        return ProcessIdentity(self.supervisor_pid, self.supervisor_started)


def write_state(path: Path, state: PlatformState) -> None:
    write_atomically(path, state.model_dump_json(indent=2) + "\n")


def read_state(path: Path) -> PlatformState | None:
    """The state as last written, also by a supervisor that is gone; None when there is none, or none whole.

    Raises Refusal `home_unusable` for a home that is not ours to read.
    """
    try:
        return PlatformState.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except OSError as error:
        raise Refusal("home_unusable", home=path.parent.parent, reason=error) from None


def read_running_state(path: Path) -> PlatformState | None:
    """The state of a platform whose supervisor lives; None when nothing runs."""
    state = read_state(path)
    return state if state is not None and state.supervisor.alive else None
