"""What partners may be told of an event, from the contract's `partner_fields` (GWY-05).

Nothing of an event travels outside unless its contract says so, field by field.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import bihuan
from bihuan.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

# Where events are defined: each service's own, and those that every service sends.
_MODULES = ("events_pb2", "common_pb2")


@dataclass(frozen=True, slots=True)
class SharedEvent:
    """A kind of event that partners may be told of, and the fields that they get.

    `subject` may hold `{service}` in events that every service sends.
    """

    kind: type[Message]
    subject: str
    entity_field: str
    fields: tuple[str, ...]

    @property
    def descriptor(self) -> Descriptor:
        """The contract's message."""
        described: Any = self.kind.DESCRIPTOR
        found: Descriptor = described
        return found

    @property
    def type(self) -> str:
        """Full name of the contract's message, which is the type of the CloudEvent."""
        return str(self.descriptor.full_name)

    def content(self, event: Message) -> dict[str, Any]:
        """What partners get of `event`: its shared fields as proto JSON, zero values included; nothing else."""
        told = MessageToDict(event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        return {name: told[name] for name in self.fields if name in told}


@cache
def shared_events() -> tuple[SharedEvent, ...]:
    """Every kind of event that partners may be told of, by name; a new one appears by its contract."""
    messages = [message for module in _contracts() for message in module.DESCRIPTOR.message_types_by_name.values()]
    found = []
    for descriptor in messages:
        travels = descriptor.GetOptions().Extensions[options_pb2.travels]
        if travels.partner_fields:
            fields = tuple(travels.partner_fields)
            found.append(SharedEvent(GetMessageClass(descriptor), travels.subject, travels.entity, fields))
    return tuple(sorted(found, key=lambda event: event.type))


@cache
def shared_event(message_type: str) -> SharedEvent:
    """The kind of this full name. Raises KeyError for one that partners are told nothing of."""
    return {event.type: event for event in shared_events()}[message_type]


def _contracts() -> list[ModuleType]:
    packages = [package.name for package in pkgutil.iter_modules(bihuan.__path__)]
    found = [f"bihuan.{package}.v1" for package in packages]
    modules = [(name, {module.name for module in pkgutil.iter_modules(import_module(name).__path__)}) for name in found]
    return [import_module(f"{name}.{part}") for name, parts in modules for part in _MODULES if part in parts]
