"""What the play writes down about itself while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Journal:
    """Counts, and what went wrong."""

    requests: int = 0
    # Requests sent again because a part of the platform was busy or away.
    retries: int = 0
    # Steps refused because somebody else had moved the case meanwhile; the actor looked again.
    conflicts: int = 0
    # Reports that joined an open case instead of becoming one of their own (INT-14).
    joined: int = 0
    # What the gateway refused and the play can't explain.
    troubles: list[str] = field(default_factory=list)
