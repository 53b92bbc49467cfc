"""The protovalidate rules of a field: a service enforces them, the gateway describes them and reads by them."""

from __future__ import annotations

from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor


def field_rules(field: FieldDescriptor) -> validate_pb2.FieldRules | None:
    """The protovalidate rules of a field, if it has any."""
    # protoc's stubs know extensions only as plain descriptors.
    options: Any = field.GetOptions()
    return options.Extensions[validate_pb2.field] if options.HasExtension(validate_pb2.field) else None
