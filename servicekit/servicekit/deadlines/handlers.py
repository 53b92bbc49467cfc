"""What a service does when its clocks pass a mark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from servicekit.database import UnitOfWork
from servicekit.deadlines.rules import DUE_PERCENT


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock at the mark that is being acted on; `of` already shows it there."""

    subject_id: str
    case_id: str
    clock: str
    responsible: str
    started_at: datetime
    due_at: datetime
    percent: int
    """The mark: a warning's percentage, or 100 when the time is over."""
    done_late_at: datetime | None
    """When a missed clock's work was done after all, if that happened before this mark was acted on."""


Handler = Callable[[UnitOfWork, Deadline], Awaitable[None]]
# Takes the cases of these ids as use cases do, without waiting, and gives the ids of those that somebody else has.
TakeCases = Callable[[UnitOfWork, Collection[str]], Awaitable[Collection[str]]]


class DeadlineHandlers:
    """Handlers by clock and mark. They run in the transaction that moves the clock on, so they take effect once.

    Handlers of one mark run in the order of their registration. Several deadlines share a transaction: a handler makes
    no remote call and keeps what it locks small.
    """

    def __init__(self) -> None:
        self._warned: defaultdict[str, list[Handler]] = defaultdict(list)
        self._missed: defaultdict[str, list[Handler]] = defaultdict(list)
        self._take_cases: TakeCases | None = None

    def takes_cases(self, take: TakeCases) -> TakeCases:
        """Called with the cases of all marks that a transaction comes upon, before any handler.

        For handlers that change the case of their clock: the marks of cases that somebody is changing stay until that
        is done. So the runner waits for nobody, and a use case at most for what the runner has in hand. Without it a
        handler that comes to such a case waits for it, while whoever changes the case waits for its clocks.
        """
        self._take_cases = take
        return take

    async def cases_in_use(self, tx: UnitOfWork, case_ids: Collection[str]) -> Collection[str]:
        """Those that somebody else is changing, so that their marks wait; the others are now locked for `tx`.

        Without `takes_cases` there are none, and nothing is locked.
        """
        return await self._take_cases(tx, case_ids) if self._take_cases and case_ids else ()

    def warned(self, *clocks: str) -> Callable[[Handler], Handler]:
        """Called at each warning mark of the clocks."""
        return self._registrar(self._warned, clocks)

    def missed(self, *clocks: str) -> Callable[[Handler], Handler]:
        """Called when the time of the clocks is over."""
        return self._registrar(self._missed, clocks)

    def of(self, clock: str, percent: int) -> Sequence[Handler]:
        """The handlers of a mark."""
        return (self._missed if percent >= DUE_PERCENT else self._warned).get(clock, ())

    @property
    def clocks(self) -> frozenset[str]:
        """Every clock that something is registered for."""
        return frozenset(self._warned) | frozenset(self._missed)

    @staticmethod
    def _registrar(registry: defaultdict[str, list[Handler]], clocks: Sequence[str]) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            for clock in clocks:
                registry[clock].append(handler)
            return handler

        return register
