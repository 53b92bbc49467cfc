"""Which marks an event leaves, after the standards (QLT-01). Pure.

Marks and facts are named by data, and read from messages by the contracts' own descriptors: hearing of one event more
needs no code.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bihuan.common.v1 import common_pb2
from bihuan.complaints.v1 import events_pb2 as complaints_events
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import events_pb2 as intake_events
from bihuan.options.v1 import options_pb2
from bihuan.records.v1 import events_pb2 as records_events
from bihuan.training.v1 import events_pb2 as training_events
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from standards.indicators import Mark

FactValue = bool | str | float
Read = Callable[[Any], Any]

HEARD_FROM = (common_pb2, intake_events, dispatch_events, complaints_events, records_events, training_events)


@dataclass(frozen=True, slots=True)
class Left:
    """What one event leaves on one subject."""

    mark: str
    subject_id: str
    facts: Mapping[str, FactValue]


class MarkReader:
    """Reads marks from messages. `kinds` are the messages that leave any.

    Raises ValueError where the standards name an event or a field that no contract has.
    """

    def __init__(self, marks: Mapping[str, Mark]) -> None:
        events = {message.full_name: message for module in HEARD_FROM for message in _events_of(module)}
        self._by_event: dict[str, list[tuple[str, Read, Mapping[str, Read]]]] = {}
        self.kinds: dict[str, type[Message]] = {}
        for mark in marks.values():
            if mark.event not in events:
                raise ValueError(f"marks.{mark.name}: there is no event {mark.event}")
            descriptor = events[mark.event]
            facts = {name: _reader(descriptor, path, mark.name) for name, path in mark.keeps.items()}
            read = mark.name, _reader(descriptor, mark.subject, mark.name), facts
            self._by_event.setdefault(mark.event, []).append(read)
            self.kinds[mark.event] = GetMessageClass(descriptor)

    def read(self, event: Message) -> Iterator[Left]:
        """The marks of an event; facts that it does not give are left out."""
        for mark, subject_of, facts in self._by_event.get(event.DESCRIPTOR.full_name, ()):
            given = {name: fact_of(event) for name, fact_of in facts.items()}
            known = {name: value for name, value in given.items() if isinstance(value, bool) or value}
            yield Left(mark, subject_of(event), known)


def _events_of(module: Any) -> Iterator[Descriptor]:
    for message in module.DESCRIPTOR.message_types_by_name.values():
        if message.GetOptions().HasExtension(options_pb2.travels):
            yield message


def _reader(message: Descriptor, path: str, mark: str) -> Read:
    """How to read the field at the end of a dotted path: enums by the name of their value, numbers as they are."""
    names = path.split(".")
    inner: Descriptor | None = message
    field: FieldDescriptor | None = None
    for name in names:
        field = inner.fields_by_name.get(name) if inner is not None else None
        inner = field.message_type if field is not None and not field.is_repeated else None
    if field is None or field.is_repeated or inner is not None:
        raise ValueError(f"marks.{mark}: {message.full_name} has no single field {path}")
    values = field.enum_type.values_by_number if field.enum_type is not None else None

    def read(event: Any) -> Any:
        value = event
        for name in names:
            value = getattr(value, name)
        if values is None:
            return value
        # The first value of every enum says that nothing is said.
        return values[value].name if value else ""

    return read
