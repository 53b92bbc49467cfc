"""Example values for messages: what the contract's comments name as an example, else the simplest that is allowed.

A test sends every example request through the contract's rules.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from servicekit.protojson import map_entry

from gateway.reference.comments import Comments
from gateway.transcoding.constraints import field_rules
from gateway.transcoding.scalars import INTEGER_RANGES

_UUID: Final = "0193a5f0-7c1e-7000-8000-3f2a9c0d5b11"
_MOMENT: Final = "2026-12-31T01:30:00Z"
# As many as a hash has, which is what most bytes here are.
_EXAMPLE_BYTES: Final = 32


class Examples:
    """Makes examples. `comments` are the contract's."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments

    def message(self, message_type: Descriptor, *, without: Collection[str] = ()) -> dict[str, Any]:
        """An example with every field but those in `without`, and those that a caller would better leave out."""
        fields = [field for field in message_type.fields if field.name not in without and not _is_optional_id(field)]
        values = {field.name: self.field(field) for field in fields}
        return {name: value for name, value in values.items() if value != ""}

    def field(self, field: FieldDescriptor) -> Any:
        """An example of what stands in this field."""
        entry = map_entry(field)
        if entry is not None:
            return {"reason": self._value(entry.fields_by_name["value"])}
        value = self._value(field)
        return [value] if field.is_repeated else value

    def _value(self, field: FieldDescriptor) -> Any:
        if field.message_type is not None:
            if field.message_type.full_name == "google.protobuf.Timestamp":
                return _MOMENT
            return self.message(field.message_type)
        if field.enum_type is not None:
            return field.enum_type.values[min(1, len(field.enum_type.values) - 1)].name
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if field.cpp_type in INTEGER_RANGES:
            return 1 if INTEGER_RANGES[field.cpp_type][1] < 2**32 else "1"
        if field.type == FieldDescriptor.TYPE_BYTES:
            return base64.b64encode(bytes(_EXAMPLE_BYTES)).decode()
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._text(field)
        return 0.5

    def _text(self, field: FieldDescriptor) -> str:
        given = self._comments.example(field.full_name)
        if given:
            return given
        rules = field_rules(field)
        if rules is not None and rules.string.WhichOneof("well_known") == "email":
            return "wang@example.cn"
        if (rules is not None and rules.string.uuid) or field.name.endswith("_id"):
            return _UUID
        if rules is not None and getattr(rules.string, "in"):
            return str(getattr(rules.string, "in")[0])
        if rules is not None and rules.string.HasField("pattern") and re.fullmatch(rules.string.pattern, ""):
            return ""
        return field.name.replace("_", " ")


def _is_optional_id(field: FieldDescriptor) -> bool:
    """It names something that exists, which an example can't."""
    rules = field_rules(field)
    return rules is not None and rules.string.uuid and rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
