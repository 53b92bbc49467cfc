"""One message, once: the inbox row, the reaction and its changes in one transaction, and what to do when that fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from opentelemetry import trace
from sqlalchemy import bindparam, delete, func
from sqlalchemy.dialects.postgresql import insert

from servicekit.database.tables import inbox_failures
from servicekit.database.trouble import is_database_trouble
from servicekit.errors import Fault
from servicekit.messaging.bus import Bus
from servicekit.messaging.deadletters import reason_headers
from servicekit.messaging.delivery import Delivery
from servicekit.messaging.envelope import Envelope, UnreadableError
from servicekit.messaging.reactions import NotYet, Reactions
from servicekit.messaging.retries import RetryPolicy
from servicekit.messaging.streams import dead_letter_subject
from servicekit.messaging.trouble import PublishRefusedError, is_bus_trouble
from servicekit.telemetry import names

if TYPE_CHECKING:
    from servicekit.database import Database, UnitOfWork

_MARK_RECEIVED = """
INSERT INTO inbox (consumer, event_id, case_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true
"""
_FAILED = insert(inbox_failures).values(
    consumer=bindparam("consumer"), event_id=bindparam("event_id"), attempts=1, last_error=bindparam("error")
)
_COUNT_FAILURE = _FAILED.on_conflict_do_update(
    index_elements=[inbox_failures.c.consumer, inbox_failures.c.event_id],
    set_={
        "attempts": inbox_failures.c.attempts + 1,
        "last_error": _FAILED.excluded.last_error,
        "last_at": func.clock_timestamp(),
    },
).returning(inbox_failures.c.attempts)
_FORGET_FAILURES = delete(inbox_failures).where(
    inbox_failures.c.consumer == bindparam("of_consumer"), inbox_failures.c.event_id == bindparam("of_event")
)

# Messages whose waits are remembered.
_MOST_WAITS = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """It took effect, had done so before, or lies among the dead letters: acknowledge it."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It failed: the same here again after `seconds`, before anything else of its case.

    `of_itself`: it is the message that fails, and others would not; otherwise something is away that all of them need.
    """

    seconds: float
    of_itself: bool = False


@dataclass(frozen=True, slots=True)
class ComeAgain:
    """Not now: let the stream deliver it again after `seconds`, here or elsewhere."""

    seconds: float


Outcome = Settled | TryAgain | ComeAgain


class Handling:
    """Makes messages take effect in one service, each once."""

    def __init__(self, database: Database, bus: Bus, reactions: Reactions, policy: RetryPolicy) -> None:
        self._database = database
        self._bus = bus
        self._reactions = reactions
        self._policy = policy
        self._consumer = reactions.service
        # How often each message was told to wait. Kept in memory only: after a restart it may wait longer, no harm.
        self._waits: Counter[UUID] = Counter()

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Tries once and says what is to be done with the message. Raises nothing but cancellation."""
        delivery.tries += 1
        with delivery.span() as span:
            try:
                await self._react(delivery)
            except Exception as error:
                kind = error.code if isinstance(error, Fault) else type(error).__name__
                span.set_attribute(names.ERROR_TYPE, kind)
                if not isinstance(error, NotYet):
                    span.set_status(trace.Status(trace.StatusCode.ERROR, kind))
                return await self._after(delivery, error)
            return Settled()

    async def _react(self, delivery: Delivery) -> None:
        reaction, message, received = delivery.understand(self._reactions)
        async with self._database.transaction(f"on {reaction.kind.DESCRIPTOR.name}") as tx:
            marked = await tx.fetch(_MARK_RECEIVED, self._consumer, received.event_id, received.case_id)
            if is_new := bool(marked):
                await reaction.handle(tx, message, received)
            if delivery.has_failed:
                await self._forget_failures(tx, received.event_id)
        self._waits.pop(received.event_id, None)
        delivery.count("done" if is_new else "repeated")

    async def _after(self, delivery: Delivery, error: Exception) -> Outcome:
        try:
            return await self._judge(delivery, error)
        except Exception as trouble:
            # Not even the failure could be written down or sent away: the message must not be lost.
            if not (is_database_trouble(trouble) or is_bus_trouble(trouble)):
                log.exception("failure_not_recorded", subject=delivery.subject)
            return TryAgain(self._policy.in_trouble(delivery.tries))

    async def _judge(self, delivery: Delivery, error: Exception) -> Outcome:
        """The policy: what counts against a message, and when it is given up."""
        if is_database_trouble(error) or is_bus_trouble(error):
            # Kept here: given back, it would come again after those behind it.
            delivery.count("retried")
            return TryAgain(self._policy.in_trouble(delivery.tries))
        if isinstance(error, UnreadableError) or delivery.envelope is None:
            return await self._give_up(delivery, "unreadable", error, attempts=1)
        event_id = delivery.envelope.event_id
        if isinstance(error, NotYet):
            if len(self._waits) > _MOST_WAITS:
                self._waits.clear()  # most of them were settled by other replicas
            self._waits[event_id] += 1
            waits = self._waits[event_id]
            if waits > self._policy.max_waits:
                return await self._give_up(delivery, "waited_too_long", error, attempts=waits)
            log.info("message_waits", subject=delivery.subject, event_id=str(event_id), reason=error.reason)
            delivery.count("retried")
            return ComeAgain(self._policy.after_wait(waits))
        attempts = await self._count_failure(delivery.envelope, error)
        delivery.has_failed = True
        if isinstance(error, Fault) and not error.retryable:
            return await self._give_up(delivery, "refused", error, attempts)
        if attempts >= self._policy.max_attempts:
            return await self._give_up(delivery, "failed", error, attempts)
        log.warning(
            "message_failed", subject=delivery.subject, event_id=str(event_id), attempts=attempts, exc_info=error
        )
        delivery.count("retried")
        return TryAgain(self._policy.after_attempt(attempts), of_itself=True)

    async def _count_failure(self, envelope: Envelope, error: Exception) -> int:
        """Writes the failure down in a transaction of its own and gives how many there were."""
        values = {"consumer": self._consumer, "event_id": envelope.event_id, "error": _described(error)}
        async with self._database.transaction("count_failure") as tx:
            attempts: int = await tx.scalar(_COUNT_FAILURE, values)
        return attempts

    async def _give_up(self, delivery: Delivery, reason: str, error: Exception, attempts: int) -> Outcome:
        """Puts the message among the dead letters; only then is it settled."""
        metadata = delivery.message.metadata
        headers = reason_headers(
            delivery.message.headers or {},
            subject=delivery.subject,
            reason=reason,
            error=_described(error),
            attempts=attempts,
            message_id=f"dead-{self._consumer}-{metadata.stream}-{metadata.sequence.stream}",
        )
        connection = await self._bus.connected()
        try:
            future = await connection.publish(dead_letter_subject(self._consumer), delivery.message.data, headers)
            await connection.acknowledged(future)
        except PublishRefusedError:
            log.exception("dead_letter_refused", subject=delivery.subject)
            return TryAgain(self._policy.in_trouble(delivery.tries), of_itself=True)
        log.error("message_dead", subject=delivery.subject, reason=reason, attempts=attempts, exc_info=error)
        delivery.count("dead")
        if delivery.envelope is not None:
            # Sent again by somebody, it starts anew.
            self._waits.pop(delivery.envelope.event_id, None)
            async with self._database.transaction("forget_failures") as tx:
                await self._forget_failures(tx, delivery.envelope.event_id)
        return Settled()

    async def _forget_failures(self, tx: UnitOfWork, event_id: UUID) -> None:
        await tx.execute(_FORGET_FAILURES, {"of_consumer": self._consumer, "of_event": event_id})


def _described(error: Exception) -> str:
    # Without the rows that the driver shows as detail: they hold what people told us, and dead letters go elsewhere.
    return f"{type(error).__name__}: {error}".partition("\nDETAIL:")[0]
