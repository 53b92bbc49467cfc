"""CloudEvents 1.0 in binary mode: the attributes travel as NATS headers, the body is the message as JSON.

What goes out is prepared in `servicekit.database.outgoing`, in the transaction that causes it; the relay completes it
with these attributes, and consumers read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import pydantic_core
from google.protobuf.message import Message

from servicekit.messaging.bodies import body_reader

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
MESSAGE_ID = "Nats-Msg-Id"
TRACEPARENT = "traceparent"

MessageT = TypeVar("MessageT", bound=Message)


class UnreadableError(Exception):
    """A message from the bus that can never be understood: no id, no type, or a body that is not the contract's."""


def decode(kind: type[MessageT], body: bytes) -> MessageT:
    """The message in `body`; fields of a newer contract are passed over. Raises UnreadableError."""
    read = body_reader(kind.DESCRIPTOR)
    try:
        return kind(**read(pydantic_core.from_json(body)))
    except Exception as wrong:  # whatever was met where the contract has something else
        raise UnreadableError(f"the body is not a {kind.DESCRIPTOR.full_name}: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one message.

    Attributes:
        event_id: Names this occurrence for ever; consumers know a duplicate by it.
        type: Full name of the contract message.
        source: The service that sent it, without the leading `/bihuan/`.
        entity_id: Id of the entity it is about.
        entity_version: Version of that entity after it happened; 0 for commands.
        case_id: The case it belongs to, or empty.
        occurred_at: Platform time of the sending transaction.
        traceparent: W3C context of the span that caused it, or empty.
    """

    event_id: UUID
    type: str
    source: str
    entity_id: str
    entity_version: int
    case_id: str
    occurred_at: datetime
    traceparent: str = ""

    @property
    def order_key(self) -> str:
        """Messages with the same key are handled one after the other: the case, else the entity."""
        return self.case_id or self.entity_id

    def headers(self) -> dict[str, str]:
        """The NATS headers; `Nats-Msg-Id` lets the stream drop what is published twice."""
        headers = {
            MESSAGE_ID: str(self.event_id),
            "ce-specversion": SPEC_VERSION,
            "ce-id": str(self.event_id),
            "ce-type": self.type,
            "ce-source": f"/bihuan/{self.source}",
            "ce-subject": self.entity_id,
            "ce-time": self.occurred_at.isoformat(),
            "ce-entityversion": str(self.entity_version),
            "ce-datacontenttype": CONTENT_TYPE,
        }
        if self.case_id:
            headers["ce-caseid"] = self.case_id
        if self.traceparent:
            headers[TRACEPARENT] = self.traceparent
        return headers

    @classmethod
    def read(cls, headers: Mapping[str, str] | None) -> Envelope:
        """The attributes in `headers`. Raises UnreadableError naming the one that is missing or malformed."""
        if not headers:
            raise UnreadableError("the message has no headers")
        try:
            return cls(
                event_id=UUID(headers["ce-id"]),
                type=headers["ce-type"],
                source=headers["ce-source"].removeprefix("/bihuan/"),
                entity_id=headers["ce-subject"],
                entity_version=int(headers.get("ce-entityversion", "0")),
                case_id=headers.get("ce-caseid", ""),
                occurred_at=datetime.fromisoformat(headers["ce-time"]),
                traceparent=headers.get(TRACEPARENT, ""),
            )
        except KeyError as missing:
            raise UnreadableError(f"the header {missing.args[0]} is missing") from missing
        except ValueError as wrong:
            raise UnreadableError(f"a header is malformed: {wrong}") from wrong
