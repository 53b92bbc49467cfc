"""Reading the streams from the beginning, or from near the end, without disturbing anybody's consumer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from servicekit.messaging.envelope import Envelope, UnreadableError

BATCH = 500
LINGER_SECONDS = 1.0
# What waits on the stream comes at once from a bus that is well. One that is busy is asked again, so often in a row.
ANSWER_SECONDS = 5.0
MOST_SILENCES = 6
# The server forgets our place when we are gone that long.
FORGET_AFTER_SECONDS = 30.0


@dataclass(frozen=True)
class LoggedMessage:
    """One message of a stream."""

    stream: str
    sequence: int
    subject: str
    # Real time at which the stream took it.
    stored_at: datetime
    # None: nobody can read its headers.
    envelope: Envelope | None
    body: bytes


async def last_sequence(jetstream: JetStreamContext, stream: str) -> int:
    """Number of the newest message; 0 when there never was one, or no stream."""
    try:
        return (await jetstream.stream_info(stream)).state.last_seq
    except NotFoundError:
        return 0


async def first_sequence(jetstream: JetStreamContext, stream: str) -> int:
    """Number of the oldest message that is still there; 0 when there never was one, or no stream."""
    try:
        return (await jetstream.stream_info(stream)).state.first_seq
    except NotFoundError:
        return 0


async def read_stream(
    jetstream: JetStreamContext, stream: str, *, subject: str = "", after: int = 0, follow: bool = False
) -> AsyncIterator[LoggedMessage]:
    """The messages of `stream` after sequence number `after`, oldest first; then, with `follow`, those to come.

    All of them: silence is never taken for the end. Raises nats.errors.TimeoutError when the bus keeps what it has.
    """
    last = await last_sequence(jetstream, stream)
    if not follow and last <= after:
        return
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        inactive_threshold=FORGET_AFTER_SECONDS,
        mem_storage=True,
    )
    subscription = await jetstream.pull_subscribe(subject or ">", stream=stream, config=config)
    try:
        taken, silences = 0, 0
        pending = await _outstanding(subscription, taken)
        while pending or follow:
            try:
                if silences and not follow:
                    pending = await _outstanding(subscription, taken)
                    if not pending:
                        break
                messages = await subscription.fetch(BATCH, timeout=LINGER_SECONDS if follow else ANSWER_SECONDS)
            except nats.errors.TimeoutError:
                silences += 1
                if silences == MOST_SILENCES and not follow:
                    raise
                continue
            silences = 0
            for message in messages:
                taken, pending = message.metadata.sequence.consumer, message.metadata.num_pending
                yield _read(stream, message)
    finally:
        await subscription.unsubscribe()


async def _outstanding(subscription: JetStreamContext.PullSubscription, taken: int) -> int:
    """How many messages are still to come after `taken` of them: those on the stream, and those on their way here."""
    info = await subscription.consumer_info()
    delivered = info.delivered.consumer_seq if info.delivered else 0
    return (info.num_pending or 0) + delivered - taken


def _read(stream: str, message: Msg) -> LoggedMessage:
    try:
        envelope = Envelope.read(message.headers)
    except UnreadableError:
        envelope = None
    return LoggedMessage(
        stream=stream,
        sequence=message.metadata.sequence.stream,
        subject=message.subject,
        stored_at=message.metadata.timestamp,
        envelope=envelope,
        body=message.data,
    )


def describe(message: LoggedMessage) -> dict[str, Any]:
    """One message as JSON values for scripts."""
    envelope = message.envelope
    known: dict[str, Any] = (
        {}
        if envelope is None
        else {
            "event_id": str(envelope.event_id),
            "type": envelope.type,
            "source": envelope.source,
            "entity_id": envelope.entity_id,
            "entity_version": envelope.entity_version,
            "case_id": envelope.case_id,
            "occurred_at": envelope.occurred_at,
            "traceparent": envelope.traceparent,
        }
    )
    return {
        "stream": message.stream,
        "sequence": message.sequence,
        "subject": message.subject,
        "stored_at": message.stored_at,
        **known,
        "data": content(message.body),
    }


def content(body: bytes) -> Any:
    """A body as JSON values, or as text where it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
