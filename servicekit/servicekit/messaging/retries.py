"""How patient a consumer is with a message that does not go through."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits and pauses; the pauses are seconds before the next try, the last one repeats.

    Attributes:
        max_attempts: Failures of the reaction after which a message is dead.
        max_waits: How often a message may be told `NotYet` before it is dead.
        attempt_pauses: After the first failure, the second, …
        wait_pauses: After the first `NotYet`, the second, …
        trouble_pauses: While PostgreSQL or the bus is away; that never counts against the message.
    """

    max_attempts: int = 8
    max_waits: int = 50
    attempt_pauses: tuple[float, ...] = (0.2, 1.0, 5.0, 15.0, 60.0)
    wait_pauses: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
    trouble_pauses: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)

    def after_attempt(self, count: int) -> float:
        """The pause after the `count`th failure, counted from 1."""
        return _nth(self.attempt_pauses, count)

    def after_wait(self, count: int) -> float:
        """The pause after the `count`th `NotYet`, counted from 1."""
        return _nth(self.wait_pauses, count)

    def in_trouble(self, tries: int) -> float:
        """The pause after the `tries`th try while something that everybody needs is away."""
        return _nth(self.trouble_pauses, tries)


def _nth(pauses: tuple[float, ...], count: int) -> float:
    return pauses[min(count, len(pauses)) - 1]
