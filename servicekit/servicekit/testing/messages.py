"""Messages of the contracts for property tests: any message of a type, by hypothesis."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from servicekit.protojson import map_entry

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
}
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TIMESTAMPS = st.builds(
    Timestamp, seconds=st.integers(-62_135_596_800, 253_402_300_799), nanos=st.integers(0, 999_999_999)
)
# Numbers that no enum of the contracts has a word for.
_NEWER_NUMBERS = st.integers(1_000, 2**31 - 1)


def messages(
    kind: type[Message], *, newer_enums: bool = False, texts: st.SearchStrategy[str] = _TEXTS
) -> st.SearchStrategy[Message]:
    """Messages of this kind, each field set or not; with `newer_enums` also numbers that a newer contract names.

    `texts` are the values of text fields, by default any that can be stored.
    """

    def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
        if field.message_type is not None:
            if field.message_type.full_name == "google.protobuf.Timestamp":
                return TIMESTAMPS
            return messages(GetMessageClass(field.message_type), newer_enums=newer_enums, texts=texts)
        if field.enum_type is not None:
            numbers = st.sampled_from([value.number for value in field.enum_type.values])
            return numbers | _NEWER_NUMBERS if newer_enums else numbers
        if field.type == FieldDescriptor.TYPE_BYTES:
            return st.binary(max_size=8)
        return _SCALARS.get(field.cpp_type, texts)

    def field_values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
        entry = map_entry(field)
        if entry is not None:
            parts = entry.fields_by_name
            return st.dictionaries(values(parts["key"]), values(parts["value"]), max_size=3)
        return st.lists(values(field), max_size=3) if field.is_repeated else values(field)

    # An Any must name a real message; HttpBody, the only one to hold any, is not written as JSON.
    described: Any = kind.DESCRIPTOR  # two classes to the type checker
    fields = {field.name: field_values(field) for field in described.fields if not _is_any(field)}
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: kind(**given))


def _is_any(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Any"
