"""Events and commands on their way out: from a contract's message to a row of the outbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import pydantic_core
from bihuan.options.v1 import options_pb2
from google.protobuf.message import Message
from opentelemetry import trace

from servicekit.ids import uuid7
from servicekit.protojson import brief_writer

# One statement whatever the number of rows, with one array a column: the server parses and plans it once.
INSERT_OUTBOX = """
INSERT INTO outbox (event_id, subject, entity_id, entity_version, case_id, body, headers, created_at)
SELECT event_id, subject, entity_id, entity_version, case_id, body, headers::jsonb, $8::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[], $7::text[])
     AS rows (event_id, subject, entity_id, entity_version, case_id, body, headers)
"""


# How far platform time was ahead of real time when the newest row was written.
LAST_OFFSET = "SELECT created_at - real_created_at AS ahead FROM outbox ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Travels:
    """How messages of one type travel, from the contract's `travels` option.

    `subject` may hold `{service}`, the sender's place in messages that every service sends.
    """

    subject: str
    entity_field: str
    message_type: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One row of the outbox before it is written. `headers` holds its type and trace, and `source` and `time` where
    they are not this service's and this moment's."""

    event_id: UUID
    subject: str
    entity_id: str
    entity_version: int
    case_id: str
    body: bytes
    headers: str

    @classmethod
    def of(cls, message: Message, *, service: str, version: int, case_id: str, traceparent: str) -> OutgoingMessage:
        """Serialise `message` now, so that later changes to it don't reach the bus.

        Raises TypeError for a message that isn't meant for the bus.
        """
        travels = travels_of(type(message))
        headers = {"ce-type": travels.message_type}
        if traceparent:
            headers["traceparent"] = traceparent
        return cls(
            event_id=uuid7(),
            subject=travels.subject.replace("{service}", service),
            entity_id=getattr(message, travels.entity_field),
            entity_version=version,
            case_id=case_id or getattr(message, "case_id", ""),
            body=to_json(message),
            headers=json.dumps(headers),
        )


def travels_of(message_class: type[Message]) -> Travels:
    """How messages of this class travel. Raises TypeError for one that is neither an event nor a command."""
    return _travels(message_class.DESCRIPTOR)


@cache
def _travels(descriptor: Any) -> Travels:
    option = descriptor.GetOptions().Extensions[options_pb2.travels]
    if option.entity not in descriptor.fields_by_name:
        raise TypeError(f"{descriptor.full_name} doesn't say how it travels: it is neither an event nor a command")
    return Travels(option.subject, option.entity, descriptor.full_name)


def to_json(message: Message) -> bytes:
    """The message as compact proto JSON with the contract's field names, UTF-8."""
    return pydantic_core.to_json(brief_writer(message.DESCRIPTOR)(message))


def current_traceparent() -> str:
    """W3C traceparent of the current span, or "" without one."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
