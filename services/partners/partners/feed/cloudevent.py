"""One event as one partner is told it: a CloudEvent 1.0 with what may travel, and nothing else. Pure."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from google.protobuf.message import Message
from servicekit.database.outgoing import OutgoingMessage
from servicekit.messaging import Received
from servicekit.messaging.feeds import feed_subject
from servicekit.messaging.sharing import SharedEvent

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The attributes and the data. `subject` is the id of the entity; on the bus that is `ce-subject`.

    `id` is the event's for this partner: the same in its feed and in its webhooks, however often it is passed on, and
    another one for every other partner.
    """

    id: UUID
    source: str
    type: str
    subject: str
    time: str
    entity_version: int
    case_id: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Message, received: Received, shared: SharedEvent, partner: str) -> "CloudEvent":
        return cls(
            id=uuid5(received.event_id, partner),
            source=received.subject.split(".")[1],
            type=shared.type,
            subject=getattr(event, shared.entity_field),
            time=received.occurred_at.isoformat(),
            entity_version=received.entity_version,
            case_id=received.case_id,
            data=shared.content(event),
        )

    def to_outbox(self, partner: str, received: Received) -> OutgoingMessage:
        """For the partner's feed, in binary mode: the relay makes headers of the attributes."""
        attributes = {"ce-type": self.type, "source": self.source, "time": self.time}
        if received.traceparent:
            attributes["traceparent"] = received.traceparent
        return OutgoingMessage(
            event_id=self.id,
            subject=feed_subject(partner, received.subject),
            entity_id=self.subject,
            entity_version=self.entity_version,
            case_id=self.case_id,
            body=_compact(self.data).encode(),
            headers=json.dumps(attributes),
        )

    def to_json(self) -> str:
        """In structured mode, as webhooks carry it."""
        told: dict[str, Any] = {
            "specversion": SPEC_VERSION,
            "id": str(self.id),
            "source": f"/bihuan/{self.source}",
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "datacontenttype": CONTENT_TYPE,
            "entityversion": self.entity_version,
        }
        if self.case_id:
            told["caseid"] = self.case_id
        return _compact({**told, "data": self.data})


def _compact(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
