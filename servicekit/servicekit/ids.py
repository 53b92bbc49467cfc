"""Identifiers: UUIDv7, ordered by the time they were made."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_FRACTIONS_PER_MS = 4096  # the 12 bits after the version hold fractions of a millisecond (RFC 9562, method 3)
_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A UUIDv7 of real time, greater than every one made before in this process."""
    global _last  # noqa: PLW0603 - the order holds for the whole process, so its state does too
    now = time.time_ns() * _FRACTIONS_PER_MS // 1_000_000
    with _lock:
        _last = tick = max(now, _last + 1)
    milliseconds, fraction = divmod(tick, _FRACTIONS_PER_MS)
    random_bits = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=milliseconds << 80 | _VERSION_7 | fraction << 64 | _VARIANT_RFC | random_bits)


def uuid7_floor(moment: datetime) -> UUID:
    """Smaller than every UUIDv7 made at `moment` (real time) or later, greater than those made a millisecond before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
