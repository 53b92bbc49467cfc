"""Many callers, one transaction: requests that wait while a transaction runs share the next one.

A commit costs the same for one request as for fifty, so under load this multiplies what one connection can do; a
lone request doesn't wait at all. Who comes while a transaction begins still shares it: on a busy process its BEGIN
takes as long as several statements, because it waits behind the answers of the transaction before.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from opentelemetry import trace

from servicekit.database.engine import Database
from servicekit.database.trouble import is_database_trouble
from servicekit.database.unit_of_work import UnitOfWork
from servicekit.errors import Fault
from servicekit.telemetry import names
from servicekit.telemetry.spans import inner_span

Req = TypeVar("Req")
Res = TypeVar("Res")

_tracer = trace.get_tracer("servicekit.gathering")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Req, Res]):
    request: Req
    answer: asyncio.Future[Res] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    origin: trace.SpanContext = field(default_factory=lambda: trace.get_current_span().get_span_context())


class Gatherer(Generic[Req, Res]):
    """Runs `handle_many` for at most `limit` requests at a time, one transaction after the other.

    `handle_many` answers every request in order, with a result or with the Fault that concerns it alone. When it
    raises, or the shared commit fails, nothing of the transaction remains and each of its requests is tried alone, so
    that one bad request can't fail its neighbours. Events of a request are emitted with the `traceparent` it came with.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        handle_many: Callable[[UnitOfWork, Sequence[Req]], Awaitable[Sequence[Res | Fault]]],
        limit: int = 64,
    ) -> None:
        self._database = database
        self._name = name
        self._handle_many = handle_many
        self._limit = limit
        self._waiting: deque[_Waiting[Req, Res]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, request: Req) -> Res:
        """Answer `request` after the commit that holds it. Raises its Fault, or Fault("unavailable").

        A caller that gives up before its transaction has begun is left out of it.
        """
        with inner_span(_tracer, names.SPAN_GATHERED, {names.TRANSACTION: self._name}):
            waiting: _Waiting[Req, Res] = _Waiting(request)
            self._waiting.append(waiting)
            if self._worker is None:
                # A context of its own: otherwise every later transaction would belong to the first caller's trace.
                self._worker = asyncio.create_task(self._work(), context=contextvars.Context())
            return await waiting.answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                if batch := self._take(self._limit):
                    await self._answer(batch, self._limit)
        finally:
            self._worker = None
            # Only left when this task was cancelled: nobody will come back for them.
            while self._waiting:
                self._waiting.popleft().answer.cancel()

    def _take(self, most: int) -> list[_Waiting[Req, Res]]:
        """The next in line, without those who gave up."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [waiting for waiting in taken if not waiting.answer.done()]

    async def _answer(self, batch: list[_Waiting[Req, Res]], limit: int) -> None:
        """Answers `batch`, which others leave or join, up to `limit`, until its transaction has begun."""
        try:
            answers = await self._handle(batch, limit)
        except Exception as exc:
            # When the database itself is in trouble, trying each alone would only add to it.
            if len(batch) == 1 or is_database_trouble(exc):
                for waiting in batch:
                    _fail(waiting, exc)
                return
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.answer.cancel()
            raise
        else:
            for waiting, answer in zip(batch, answers, strict=True):
                if isinstance(answer, Fault):
                    _fail(waiting, answer)
                elif not waiting.answer.done():
                    waiting.answer.set_result(answer)
            return
        for waiting in batch:
            await self._answer([waiting], limit=1)

    async def _handle(self, batch: list[_Waiting[Req, Res]], limit: int) -> Sequence[Res | Fault]:
        links = [trace.Link(waiting.origin) for waiting in batch if waiting.origin.trace_flags.sampled]

        async def work(tx: UnitOfWork) -> Sequence[Res | Fault]:
            # Done again it begins here, too: with those who came late the first time, without those who gave up since.
            batch[:] = [waiting for waiting in batch if not waiting.answer.done()]
            late = self._take(limit - len(batch))
            batch.extend(late)
            for waiting in late:
                if waiting.origin.trace_flags.sampled:
                    trace.get_current_span().add_link(waiting.origin)
                    links.append(trace.Link(waiting.origin))
            if not batch:
                return []
            requests = [waiting.request for waiting in batch]
            answers = await self._handle_many(tx, requests)
            if len(answers) != len(requests):
                raise RuntimeError(f"{self._name}: {len(requests)} requests got {len(answers)} answers")
            return answers

        return await self._database.run(self._name, work, links=links)


def _fail(waiting: _Waiting[Req, Res], exc: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(exc)
