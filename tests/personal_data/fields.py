"""Every text field of the contracts, and what it may hold: by its option `text`, or by words.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bihuan.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

HERE = Path(__file__).parent
PREFIX = "bihuan."


@dataclass(frozen=True)
class Coded:
    """The fields into which nobody writes freely, as words.yaml names them."""

    endings: tuple[str, ...]
    names: frozenset[str]
    fields: frozenset[str]

    @classmethod
    def read(cls) -> Coded:
        written = yaml.safe_load((HERE / "words.yaml").read_text(encoding="utf-8"))
        return cls(tuple(written["endings"]), frozenset(written["names"]), frozenset(written["fields"]))

    def has(self, field: FieldDescriptor) -> bool:
        return field.name.endswith(self.endings) or field.name in self.names or name_of(field) in self.fields


def text_fields(message: Descriptor) -> list[FieldDescriptor]:
    """The message's own."""
    return [field for field in message.fields if field.type == FieldDescriptor.TYPE_STRING]


def kind_of(field: FieldDescriptor) -> str:
    """`about_customer` of `TEXT_ABOUT_CUSTOMER`; empty where the contract says nothing."""
    options: Any = field.GetOptions()
    if not options.HasExtension(options_pb2.text):
        return ""
    return options_pb2.Text.Name(options.Extensions[options_pb2.text]).removeprefix("TEXT_").lower()


def written_in(message: Descriptor, seen: tuple[Descriptor, ...] = ()) -> Iterator[tuple[str, str]]:
    """Path and kind of everything in the message, however deep, that people write."""
    for field in message.fields:
        if kind := kind_of(field):
            yield field.name, kind
        elif field.message_type is not None and field.message_type not in seen:
            for path, kind in written_in(field.message_type, (*seen, message)):
                yield f"{field.name}.{path}", kind


def name_of(field: FieldDescriptor) -> str:
    """`intake.v1.Case.result`"""
    return str(field.full_name).removeprefix(PREFIX)
