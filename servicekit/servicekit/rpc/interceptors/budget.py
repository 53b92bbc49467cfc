"""A call with too little time left is refused before it costs anything; one without a deadline gets one."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.errors import Fault


@dataclass(frozen=True, slots=True)
class Budget:
    """Times in seconds of real time."""

    # Less than one durable commit takes.
    least: float = 0.02
    # For callers that name no deadline.
    default: float = 30.0

    def left(self, seconds: float | None) -> float:
        """Seconds that a call has whose caller waits `seconds`, None where they don't say.

        Raises Fault deadline_too_short.
        """
        if seconds is None:
            return self.default
        if seconds < self.least:
            raise Fault("deadline_too_short")
        return seconds
