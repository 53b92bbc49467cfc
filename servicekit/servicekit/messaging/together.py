"""Several messages in one transaction: what they do is done once, or nothing of it and each is tried alone.

A transaction, its inbox row and its acknowledgement cost many times what most reactions do. Services that nobody waits
for take what has come in a moment together; a message that fails harms only itself, because those it shared the
transaction with are then handled one by one, like itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from google.protobuf.message import Message
from opentelemetry import trace

from servicekit.messaging.delivery import Delivery
from servicekit.messaging.reactions import HandlerOfMany, Reaction, Reactions, Received

if TYPE_CHECKING:
    from servicekit.database import Database, UnitOfWork

# In the order of their ids: replicas that were given the same messages wait for each other in one direction.
_MARK_RECEIVED = """
INSERT INTO inbox (consumer, event_id, case_id)
SELECT $1::text, event_id, case_id FROM unnest($2::uuid[], $3::text[]) AS rows (event_id, case_id) ORDER BY event_id
ON CONFLICT DO NOTHING RETURNING event_id
"""

Understood = tuple[trace.Span, Reaction, Message, Received]

log = structlog.get_logger(__name__)


class Together:
    """Makes messages take effect in one service, several at once."""

    def __init__(self, database: Database, reactions: Reactions) -> None:
        self._database = database
        self._reactions = reactions

    async def attempt(self, deliveries: Sequence[Delivery]) -> bool:
        """Whether all of them have taken effect, now or before; otherwise nothing has happened, and each is to be tried
        alone. Those of one case are in their order, and none has failed before. Raises nothing but cancellation."""
        try:
            understood = [self._understand(delivery) for delivery in deliveries]
            new = await self._react(understood)
        except Exception as error:
            # No more about it here: alone, the one that fails says so under its own name. Its span was never ended.
            log.info("handled_one_by_one", messages=len(deliveries), reason=repr(error))
            return False
        for delivery, (span, *_) in zip(deliveries, understood, strict=True):
            assert delivery.envelope is not None
            delivery.count("done" if delivery.envelope.event_id in new else "repeated")
            span.end()
        return True

    def _understand(self, delivery: Delivery) -> Understood:
        span = delivery.start_span()
        with trace.use_span(span):
            return (span, *delivery.understand(self._reactions))

    async def _react(self, understood: Sequence[Understood]) -> set[UUID]:
        """Which of them were new."""
        context = [span.get_span_context() for span, *_ in understood]
        links = [trace.Link(each) for each in context if each.trace_flags.sampled]
        async with self._database.transaction("on several", links=links) as tx:
            received = [each for *_, each in understood]
            ids, cases = [each.event_id for each in received], [each.case_id for each in received]
            new = {row["event_id"] for row in await tx.fetch(_MARK_RECEIVED, self._reactions.service, ids, cases)}
            # The same message may be among them twice.
            once = {each[-1].event_id: each for each in understood if each[-1].event_id in new}
            for handler, run in groupby(once.values(), key=lambda each: each[1].handle_many):
                await _handle(tx, handler, list(run))
        return new


async def _handle(tx: UnitOfWork, handler: HandlerOfMany | None, run: Sequence[Understood]) -> None:
    if handler is not None:
        await handler(tx, [(message, received) for *_, message, received in run])
        return
    for span, reaction, message, received in run:
        with trace.use_span(span):
            await reaction.handle(tx, message, received)
