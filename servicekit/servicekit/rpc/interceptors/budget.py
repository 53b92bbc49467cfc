"""A call with too little time left is refused before it costs anything; one without a deadline gets one."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio

from servicekit.errors import Fault


@dataclass(frozen=True, slots=True)
class Budget:
    """Times in seconds of real time."""

    # Less than one durable commit takes.
    least: float = 0.02
    # For callers that name no deadline.
    default: float = 30.0

    def left(self, context: grpc.aio.ServicerContext) -> tuple[float, bool]:  # type: ignore[type-arg]
        """Seconds that the call has left, and whether the caller itself (and so gRPC) watches over them.

        Raises Fault deadline_too_short.
        """
        left = context.time_remaining()
        if left is None:
            return self.default, False
        if left < self.least:
            raise Fault("deadline_too_short")
        return left, True
