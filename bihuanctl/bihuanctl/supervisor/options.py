"""What `bihuan up` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Read by gRPC when it is imported. A supervisor forks only to start programs: gRPC need not carry its threads over,
# and would complain each time that it can't.
ENVIRONMENT_OF_SUPERVISOR: Final = {"GRPC_ENABLE_FORK_SUPPORT": "0"}


@dataclass(frozen=True)
class StartOptions:
    """How to start a platform."""

    # None: 8080 if it is free, else any free one. 0: any free one.
    port: int | None = None
    clock_adjustable: bool = False
