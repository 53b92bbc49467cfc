"""What the loop check keeps of each message while it reads the streams: ids only, so that a long log fits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bihuan.complaints.v1.commands_pb2 import RegisterComplaint
from bihuan.dispatch.v1.events_pb2 import CreateWorkOrder
from bihuan.intake.v1.events_pb2 import CaseOpened

from bihuanctl.check.facts import UnhandledEvent
from bihuanctl.check.subjects import matches
from bihuanctl.platform.eventlog import LoggedMessage


@dataclass(frozen=True)
class Subscription:
    """What one service reacts to on one stream."""

    service: str
    stream: str
    consumer: str
    subjects: tuple[str, ...]

    def covers(self, message: LoggedMessage) -> bool:
        return message.stream == self.stream and any(matches(subject, message.subject) for subject in self.subjects)


class LogReading:
    """Takes in the messages of the streams, one after the other."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._subscriptions = subscriptions
        self.total = 0
        # As in facts.LoggedEvents.
        self.opened: dict[str, str] = {}
        self.work_orders_asked: dict[str, str] = {}
        self.complaints_asked: dict[str, str] = {}
        # What should have had an effect, until the service is asked whether it had.
        self.expected: dict[tuple[str, str], list[UnhandledEvent]] = {}

    def take(self, message: LoggedMessage) -> None:
        """Notes one message. One without readable headers takes no effect anywhere; it ends as a dead letter."""
        self.total += 1
        envelope = message.envelope
        if envelope is None:
            return
        if envelope.type == CaseOpened.DESCRIPTOR.full_name:
            self.opened[envelope.entity_id] = _text_in(message.body, "case_number")
        elif envelope.type == CreateWorkOrder.DESCRIPTOR.full_name:
            if order_id := _text_in(message.body, "work_order_id"):
                self.work_orders_asked[order_id] = envelope.case_id
        elif envelope.type == RegisterComplaint.DESCRIPTOR.full_name:
            self.complaints_asked[envelope.entity_id] = envelope.case_id
        for subscription in self._subscriptions:
            if subscription.covers(message):
                self.expected.setdefault((subscription.service, subscription.consumer), []).append(
                    UnhandledEvent(
                        service=subscription.service,
                        consumer=subscription.consumer,
                        event_id=str(envelope.event_id),
                        subject=message.subject,
                        case_id=envelope.case_id,
                    )
                )


def _text_in(body: bytes, name: str) -> str:
    """A field of a message; empty where it has none or can't be read: then it ends as a dead letter."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    return str(content.get(name, "")) if isinstance(content, dict) else ""
