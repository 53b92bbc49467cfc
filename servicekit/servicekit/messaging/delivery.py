"""One message as it was delivered: what it says, and the span that follows its trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from google.protobuf.message import Message
from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit.database.outgoing import current_traceparent
from servicekit.messaging.deadletters import ORIGINAL_SUBJECT
from servicekit.messaging.envelope import TRACEPARENT, Envelope, UnreadableError, decode
from servicekit.messaging.metrics import consumed
from servicekit.messaging.reactions import NotYet, Reaction, Reactions, Received
from servicekit.messaging.streams import redeliver_subject
from servicekit.telemetry import names

_tracer = trace.get_tracer("servicekit.messaging")
_propagator = TraceContextTextMapPropagator()


@dataclass(slots=True, eq=False)
class Delivery:
    """A message as it was delivered, read as far as it could be."""

    message: Msg
    subject: str
    envelope: Envelope | None
    unreadable: str = ""
    order_key: str = field(init=False)
    # How often it was tried here, and whether a failure of it is written down.
    tries: int = 0
    has_failed: bool = False

    def __post_init__(self) -> None:
        # An unreadable message stands in nobody's way.
        self.order_key = self.envelope.order_key if self.envelope else f"unreadable-{id(self)}"
        # One that comes again may have failed elsewhere.
        self.has_failed = self.deliveries > 1

    @classmethod
    def read(cls, message: Msg, service: str) -> Delivery:
        """Reads the attributes; a message sent again counts as the one that it was."""
        headers = message.headers or {}
        subject = message.subject
        if subject == redeliver_subject(service):
            subject = headers.get(ORIGINAL_SUBJECT, subject)
        try:
            return cls(message, subject, Envelope.read(headers))
        except UnreadableError as wrong:
            return cls(message, subject, None, unreadable=str(wrong))

    @property
    def deliveries(self) -> int:
        return int(self.message.metadata.num_delivered)

    def understand(self, reactions: Reactions) -> tuple[Reaction, Message, Received]:
        """What it says to this service; called within its span.

        Raises UnreadableError, or NotYet for what a newer version of the service has asked for.
        """
        envelope = self.envelope
        if envelope is None:
            raise UnreadableError(self.unreadable)
        reaction = reactions.find(envelope.type)
        if reaction is None:
            # A newer version of this service has asked for it on the shared consumer; it shall have it.
            raise NotYet(f"no reaction on {envelope.type} in this version")
        if not reaction.hears(self.subject):
            # Only the subject is guarded by permissions: whoever may not publish an event must not act as if it had.
            raise UnreadableError(f"{envelope.type} does not travel on {self.subject}")
        received = Received(
            event_id=envelope.event_id,
            subject=self.subject,
            entity_version=envelope.entity_version,
            case_id=envelope.case_id,
            occurred_at=envelope.occurred_at,
            deliveries=self.deliveries,
            traceparent=current_traceparent(),
        )
        return reaction, decode(reaction.kind, self.message.data), received

    @contextmanager
    def span(self) -> Iterator[trace.Span]:
        """Continues the trace of whoever caused the message, and is linked to the very span."""
        span = self.start_span()
        with trace.use_span(span, end_on_exit=True):
            yield span

    def start_span(self) -> trace.Span:
        """The span of `span()`, for who makes it current and ends it himself."""
        envelope = self.envelope
        cause = _propagator.extract({TRACEPARENT: envelope.traceparent}) if envelope and envelope.traceparent else None
        producer = trace.get_current_span(cause).get_span_context() if cause else None
        if producer and producer.is_valid and not producer.trace_flags.sampled:
            # The sampler drops whatever continues a trace that was dropped (ParentBased).
            return trace.NonRecordingSpan(producer)
        attributes: dict[str, str | int] = {
            names.MESSAGING_DESTINATION: self.subject,
            names.MESSAGING_DELIVERIES: self.deliveries,
        }
        if envelope:
            attributes |= {names.MESSAGING_ID: str(envelope.event_id), names.EVENT_TYPE: envelope.type}
            if envelope.case_id:
                attributes[names.CASE_ID] = envelope.case_id
        return _tracer.start_span(
            names.SPAN_CONSUME,
            context=cause,
            kind=trace.SpanKind.CONSUMER,
            attributes=attributes,
            links=[trace.Link(producer)] if producer and producer.is_valid else None,
        )

    def count(self, outcome: str) -> None:
        """Counts what has become of it."""
        consumed.add(1, {names.MESSAGING_DESTINATION: self.subject, names.MESSAGING_OUTCOME: outcome})
