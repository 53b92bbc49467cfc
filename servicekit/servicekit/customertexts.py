"""Texts about customers in messages: the fields that the contract marks so, however deep in them (REC-05)."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from bihuan.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message


def change_texts(message: Message, change: Callable[[str], str]) -> None:
    """Puts `change` of each text about a customer in its place."""
    for holder, field in _holders(message):
        value = getattr(holder, field.name)
        if field.is_repeated:
            value[:] = [change(text) for text in value]
        else:
            setattr(holder, field.name, change(value))


def texts_about_customer(message: Message) -> Iterator[tuple[str, str]]:
    """Name of the field and text, of every text about a customer, in the order of the contract."""
    for holder, field in _holders(message):
        value = getattr(holder, field.name)
        for text in value if field.is_repeated else (value,):
            yield field.name, text


def _holders(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    marked = _marked(message.DESCRIPTOR)
    for field, value in message.ListFields():
        if field.name in marked:
            yield message, field
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in value if field.is_repeated else (value,):
                yield from _holders(part)


@cache
def _marked(message: Descriptor) -> frozenset[str]:
    return frozenset(field.name for field in message.fields if _text_of(field) == options_pb2.TEXT_ABOUT_CUSTOMER)


def _text_of(field: FieldDescriptor) -> int:
    options: Any = field.GetOptions()
    return int(options.Extensions[options_pb2.text])
