"""What a service tells about itself, so that `bihuan check` can prove that nothing fell out of the loop.

Every service serves it. It is for operators: it counts whole tables.
"""

# ruff: noqa: N802 -- gRPC method names are the contract's

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import grpc.aio
import nats.errors
import nats.js.errors
from bihuan.platform.v1 import inspection_pb2, inspection_pb2_grpc
from sqlalchemy import func, select

from servicekit import deadlines
from servicekit.database import Database, UnitOfWork
from servicekit.database.tables import inbox, outbox
from servicekit.errors import Fault
from servicekit.messaging.bus import Bus
from servicekit.messaging.reactions import Reactions
from servicekit.messaging.streams import COMMANDS, EVENTS
from servicekit.messaging.trouble import is_bus_trouble
from servicekit.rpc.paging import PageToken
from servicekit.rpc.server import Servicer

EntityFacts = Callable[[UnitOfWork, str, int], Awaitable[Sequence[inspection_pb2.EntityFact]]]
"""A service's own: the next `limit` entities by id, after the id `after` (empty: from the first)."""

DEFAULT_PAGE: Final = 1000
_LISTING: Final = "entity_facts"
_BUS_SECONDS: Final = 3.0

# Over the partial index of what is not published yet, however much was published before.
_WAITING = (
    select(
        func.count().filter(outbox.c.parked_reason.is_(None)).label("waiting"),
        func.count().filter(outbox.c.parked_reason.is_not(None)).label("parked"),
        # Real time: platform time can be advanced, and then nothing has waited for ten days.
        func.coalesce(
            func.extract(
                "epoch",
                func.clock_timestamp() - func.min(outbox.c.real_created_at).filter(outbox.c.parked_reason.is_(None)),
            ),
            0,
        ).label("oldest_seconds"),
    )
    .select_from(outbox)
    .where(outbox.c.published_at.is_(None))
)
_PUBLISHED = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_not(None))
_HANDLED = select(func.count()).select_from(inbox)

Context = grpc.aio.ServicerContext[Any, Any]


class InspectionServicer(inspection_pb2_grpc.InspectionServiceServicer):
    """Answers from the kit's own tables, the bus, and the service's `entity_facts`."""

    def __init__(self, database: Database, bus: Bus, reactions: Reactions, entity_facts: EntityFacts) -> None:
        self._database = database
        self._bus = bus
        self._reactions = reactions
        self._entity_facts = entity_facts

    @property
    def servicer(self) -> Servicer:
        """What the server needs to serve it."""
        return inspection_pb2_grpc.add_InspectionServiceServicer_to_server, self

    async def GetBacklog(self, request: inspection_pb2.GetBacklogRequest, _context: Context) -> inspection_pb2.Backlog:
        """Raises Fault unavailable while PostgreSQL or NATS is away: half a count would look like a whole one."""
        pending = await self._consumer_pending()
        async with self._database.transaction("get_backlog") as tx:
            clock_ahead = tx.now - datetime.now(UTC)
            out = (await tx.execute(_WAITING)).one()
            backlog = inspection_pb2.Backlog(
                service=self._database.service,
                outbox_waiting=out.waiting,
                outbox_oldest_seconds=float(out.oldest_seconds),
                outbox_parked=out.parked,
                deadlines_overdue=await deadlines.count_overdue(tx),
                consumer_pending=pending,
                clock_ahead=clock_ahead,
            )
            if not request.only_waiting:
                clocks = await deadlines.count(tx)
                backlog.outbox_published = await tx.scalar(_PUBLISHED)
                backlog.inbox_handled = await tx.scalar(_HANDLED)
                backlog.deadlines_running = clocks.running
                backlog.clocks.extend(clocks.by_state)
        return backlog

    async def ListEntityFacts(
        self, request: inspection_pb2.ListEntityFactsRequest, _context: Context
    ) -> inspection_pb2.ListEntityFactsResponse:
        """By id. Raises Fault page_token_invalid."""
        limit = request.page_size or DEFAULT_PAGE
        (after,) = PageToken.decode(_LISTING, request.page_token) or ("",)
        async with self._database.transaction("list_entity_facts") as tx:
            facts = await self._entity_facts(tx, after, limit)
        more = len(facts) == limit
        return inspection_pb2.ListEntityFactsResponse(
            facts=facts, next_page_token=PageToken.encode(_LISTING, facts[-1].entity_id) if more else ""
        )

    async def FindUnhandled(
        self, request: inspection_pb2.FindUnhandledRequest, _context: Context
    ) -> inspection_pb2.FindUnhandledResponse:
        """In the order asked. Raises Fault consumer_unknown, or invalid_argument for what is no event id."""
        if request.consumer != self._reactions.service:
            raise Fault("consumer_unknown", field="consumer", consumer=request.consumer)
        asked = [_event_id(place, text) for place, text in enumerate(request.event_ids)]
        statement = select(inbox.c.event_id).where(inbox.c.consumer == request.consumer, inbox.c.event_id.in_(asked))
        async with self._database.transaction("find_unhandled") as tx:
            handled = set((await tx.execute(statement)).scalars())
        return inspection_pb2.FindUnhandledResponse(
            event_ids=[text for text, event_id in zip(request.event_ids, asked, strict=True) if event_id not in handled]
        )

    async def GetSubscriptions(
        self, _request: inspection_pb2.GetSubscriptionsRequest, _context: Context
    ) -> inspection_pb2.GetSubscriptionsResponse:
        """What the service reacts on at present, by stream."""
        subjects = {EVENTS: self._event_subjects(), COMMANDS: self._reactions.command_filters()}
        return inspection_pb2.GetSubscriptionsResponse(
            subscriptions=[
                inspection_pb2.Subscription(stream=stream, consumer=self._reactions.service, subjects=heard)
                for stream, heard in subjects.items()
                if heard
            ]
        )

    def _event_subjects(self) -> list[str]:
        """None while it hears no events: then they don't wait for it, and it need not have handled them."""
        return [] if self._reactions.is_resting else self._reactions.event_filters()

    async def _consumer_pending(self) -> int:
        """Messages for this service that it has not acknowledged. Raises Fault unavailable while NATS can't tell."""
        if not self._bus.is_connected:
            raise Fault("unavailable")
        # A service hears commands in any case: redelivered dead letters come that way.
        streams = [EVENTS, COMMANDS] if self._event_subjects() else [COMMANDS]
        try:
            async with asyncio.timeout(_BUS_SECONDS):
                jetstream = (await self._bus.connected()).jetstream
                infos = [await jetstream.consumer_info(stream, self._reactions.service) for stream in streams]
        except (TimeoutError, nats.errors.Error) as error:
            # Not found: the consumer is created with the first connection; until then everything is pending.
            if isinstance(error, (TimeoutError, nats.js.errors.NotFoundError)) or is_bus_trouble(error):
                raise Fault("unavailable") from error
            raise
        return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)


def _event_id(place: int, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Fault("invalid_argument", field=f"event_ids[{place}]") from None
