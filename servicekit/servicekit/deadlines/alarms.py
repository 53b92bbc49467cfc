"""Waking the runner of this process when one of its transactions starts a clock that fires before all others.

A use case knows its transaction and not the runner; the two meet by the engine that they share. Other processes find
the clock with their next poll.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from servicekit.database import UnitOfWork


class Alarm:
    """Wakes a sleeping runner early."""

    def __init__(self) -> None:
        # The earliest mark committed since the runner last began to look.
        self._earliest: datetime | None = None
        self._rests = False
        self._until: datetime | None = None
        self._rung = asyncio.Event()

    def reset(self) -> None:
        """The runner is going to look: what is committed already it will see."""
        self._earliest = None
        self._rests = False
        self._rung.clear()

    def expect(self, moment: datetime | None) -> None:
        """The runner has looked, and sleeps until then (None: for as long as nothing happens)."""
        self._rests = True
        self._until = moment
        self._wake_if_earlier()

    def ring(self, moment: datetime) -> None:
        if self._earliest is None or moment < self._earliest:
            self._earliest = moment
        self._wake_if_earlier()

    async def rung(self) -> None:
        await self._rung.wait()

    def _wake_if_earlier(self) -> None:
        # While the runner looks nothing wakes it: what it sees anyway need not make it look again.
        if self._rests and self._earliest is not None and (self._until is None or self._earliest < self._until):
            self._rung.set()


_alarms: WeakKeyDictionary[Engine, Alarm] = WeakKeyDictionary()


def alarm_of(engine: Engine) -> Alarm:
    """The alarm of the runner on that engine."""
    return _alarms.setdefault(engine, Alarm())


def ring_after_commit(tx: UnitOfWork, moment: datetime) -> None:
    """Tells the runner of this process, once `tx` is committed, that a clock fires at `moment`."""
    engine = tx.connection.sync_engine
    tx.after_commit(lambda: alarm_of(engine).ring(moment))
