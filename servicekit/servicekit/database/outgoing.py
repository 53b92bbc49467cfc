"""Events and commands on their way out: from a contract's message to a row of the outbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import Message
from opentelemetry import trace

from servicekit.ids import uuid7
from servicekit.messaging.envelope import TRACEPARENT, contract_of, encode

# One statement whatever the number of rows, with one array a column: the server parses and plans it once.
INSERT_OUTBOX = """
INSERT INTO outbox (event_id, subject, entity_id, entity_version, case_id, body, headers, created_at)
SELECT event_id, subject, entity_id, entity_version, case_id, body, headers::jsonb, $8::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[], $7::text[])
     AS rows (event_id, subject, entity_id, entity_version, case_id, body, headers)
"""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One row of the outbox before it is written."""

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
        contract = contract_of(message)
        headers = {"ce-type": contract.type}
        if traceparent:
            headers[TRACEPARENT] = traceparent
        return cls(
            event_id=uuid7(),
            subject=contract.subject(service),
            entity_id=getattr(message, contract.entity_field),
            entity_version=version,
            case_id=case_id or getattr(message, "case_id", ""),
            body=encode(message),
            headers=json.dumps(headers),
        )


def current_traceparent() -> str:
    """W3C traceparent of the current span, or "" without one."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
