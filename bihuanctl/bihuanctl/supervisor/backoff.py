"""How long to wait before a process that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_WAIT = 0.1
LONGEST_WAIT = 15.0
FACTOR = 2.0
# A process that ran this long is taken for sound: its next death is a new story.
SOUND_AFTER = 30.0


@dataclass
class Backoff:
    """Doubles with every quick death, starts over after a sound run. Times in seconds."""

    wait: float = 0.0

    def after_run_of(self, seconds: float) -> float:
        """The wait before the next start, after a run of `seconds`."""
        if self.wait == 0.0 or seconds >= SOUND_AFTER:
            self.wait = FIRST_WAIT
        else:
            self.wait = min(self.wait * FACTOR, LONGEST_WAIT)
        return self.wait
