"""Gathers what the loop check judges: asks every service, and reads the streams from their beginning."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import TypeVar

from bihuan.platform.v1 import inspection_pb2
from bihuan.platform.v1.inspection_pb2_grpc import InspectionServiceStub
from nats.js import JetStreamContext
from servicekit.errors import Fault
from servicekit.languages import Language
from servicekit.messaging.deadletters import DeadLetter, list_dead_letters, list_discarded
from servicekit.messaging.streams import COMMANDS, DEAD, EVENTS
from servicekit.rpc.client import Channel

from bihuanctl.check.facts import DeadLetterFact, EntityFact, LoggedEvents, ServiceBacklog, Snapshot, UnhandledEvent
from bihuanctl.check.logreading import LogReading, Subscription
from bihuanctl.platform.eventlog import last_sequence, read_stream

FACTS_PAGE = 2000
IDS_PER_QUESTION = 5000
QUIET_INTERVAL = 0.2
# Looks in a row: in the instant between a commit and the relay's look at the outbox, one could slip through.
QUIET_LOOKS = 3

T = TypeVar("T")


class Inspector:
    """Asks services about themselves over `channels`, as somebody who may (administrator or auditor)."""

    def __init__(self, channels: Mapping[str, Channel], jetstream: JetStreamContext, language: Language) -> None:
        self._stubs = {
            service: InspectionServiceStub(channel)  # type: ignore[no-untyped-call]
            for service, channel in channels.items()
        }
        self._jetstream = jetstream
        self._language = language
        self._silent: dict[str, str] = {}

    async def gather_when_quiet(self, patience: float) -> Snapshot:
        """The loop once nothing is on its way any more, or as it is after `patience` seconds."""
        deadline = time.monotonic() + patience
        while True:
            await self._wait_for_quiet(deadline)
            before = await self._positions()
            snapshot = await self._gather()
            # What moved meanwhile was seen half before, half after; so was a clock that came due, and whoever did not
            # answer this once may do so the next time: look again while there is time.
            whole = snapshot.quiet and before == await self._positions()
            if whole or time.monotonic() > deadline:
                return snapshot

    async def _wait_for_quiet(self, deadline: float) -> None:
        looks = 0
        while looks < QUIET_LOOKS and time.monotonic() < deadline:
            backlogs = await self._backlogs()
            looks = looks + 1 if not self._silent and all(backlog.quiet for backlog in backlogs.values()) else 0
            await asyncio.sleep(QUIET_INTERVAL)

    async def _positions(self) -> list[int]:
        return [await last_sequence(self._jetstream, stream) for stream in (EVENTS, COMMANDS, DEAD)]

    async def _gather(self) -> Snapshot:
        backlogs = await self._backlogs()
        facts: dict[str, list[EntityFact]] = {}
        for service in self._stubs:
            async for fact in self._facts(service):
                facts.setdefault(fact.entity, []).append(fact)
        events = await self._read_log()
        return Snapshot(
            backlogs=backlogs,
            facts=facts,
            events=events,
            dead_letters=[_letter(letter) async for letter in list_dead_letters(self._jetstream)],
            discarded=[_letter(letter) async for letter in list_discarded(self._jetstream)],
            silent=dict(self._silent),
        )

    async def _backlogs(self) -> dict[str, ServiceBacklog]:
        self._silent = {}
        answers = await asyncio.gather(
            *(
                self._ask(name, stub.GetBacklog(inspection_pb2.GetBacklogRequest()))
                for name, stub in self._stubs.items()
            )
        )
        return {name: _backlog(answer) for name, answer in zip(self._stubs, answers, strict=True) if answer is not None}

    async def _facts(self, service: str) -> AsyncIterator[EntityFact]:
        page_token = ""
        while True:
            request = inspection_pb2.ListEntityFactsRequest(page_size=FACTS_PAGE, page_token=page_token)
            page = await self._ask(service, self._stubs[service].ListEntityFacts(request))
            if page is None:
                return
            for fact in page.facts:
                yield _fact(fact, service)
            page_token = page.next_page_token
            if not page_token:
                return

    async def _read_log(self) -> LoggedEvents:
        reading = LogReading([part for service in self._stubs for part in await self._subscriptions(service)])
        unhandled: list[UnhandledEvent] = []
        for stream in (EVENTS, COMMANDS):
            async for message in read_stream(self._jetstream, stream):
                reading.take(message)
                if reading.total % IDS_PER_QUESTION == 0:
                    unhandled += await self._find_unhandled(reading)
        unhandled += await self._find_unhandled(reading)
        return LoggedEvents(
            reading.total, reading.opened, reading.work_orders_asked, reading.complaints_asked, unhandled
        )

    async def _subscriptions(self, service: str) -> list[Subscription]:
        request = inspection_pb2.GetSubscriptionsRequest()
        answer = await self._ask(service, self._stubs[service].GetSubscriptions(request))
        if answer is None:
            return []
        return [
            Subscription(service, part.stream, part.consumer, tuple(part.subjects)) for part in answer.subscriptions
        ]

    async def _find_unhandled(self, reading: LogReading) -> list[UnhandledEvent]:
        """Asks the services about what was read so far, and forgets what took effect."""
        found: list[UnhandledEvent] = []
        for (service, consumer), events in reading.expected.items():
            for first in range(0, len(events), IDS_PER_QUESTION):
                part = {event.event_id: event for event in events[first : first + IDS_PER_QUESTION]}
                request = inspection_pb2.FindUnhandledRequest(consumer=consumer, event_ids=part)
                answer = await self._ask(service, self._stubs[service].FindUnhandled(request))
                found += [part[event_id] for event_id in (answer.event_ids if answer is not None else ())]
        reading.expected.clear()
        return found

    async def _ask(self, service: str, call: Awaitable[T]) -> T | None:
        """The answer, or None and a note of the silence."""
        try:
            return await call
        except Fault as fault:
            self._silent[service] = fault.text(self._language).detail
            return None


def _letter(letter: DeadLetter) -> DeadLetterFact:
    return DeadLetterFact(
        letter_id=str(letter.number),
        service=letter.service,
        event_id=letter.event_id,
        subject=letter.subject,
        reason=letter.error or letter.reason,
        case_id=letter.case_id,
        entity_id=letter.entity_id,
    )


def _backlog(answer: inspection_pb2.Backlog) -> ServiceBacklog:
    return ServiceBacklog(
        outbox_waiting=answer.outbox_waiting,
        outbox_parked=answer.outbox_parked,
        outbox_published=answer.outbox_published,
        inbox_handled=answer.inbox_handled,
        deadlines_running=answer.deadlines_running,
        deadlines_overdue=answer.deadlines_overdue,
        consumer_pending=answer.consumer_pending,
    )


def _fact(fact: inspection_pb2.EntityFact, service: str) -> EntityFact:
    return EntityFact(
        entity=fact.entity,
        entity_id=fact.entity_id,
        case_id=fact.case_id,
        state=fact.state.lower(),
        running_clocks=tuple(fact.running_clocks),
        problems=tuple(fact.problems),
        service=service,
    )
