"""Messages → JSON: the proto JSON mapping with the contract's own field names.

Compiled once per message type, because the library's converter looks every field up again for each message and was
measured at four times the cost. A property test holds it equal to the library's output.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

Convert = Callable[[Any], Any]
Write = Callable[[Message], dict[str, Any]]

_EPOCH = date(1970, 1, 1)
_INT64 = frozenset({FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64})
_FLOATS = frozenset({FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE})


@cache
def full_writer(message_type: Descriptor) -> Write:
    """A function that gives the JSON object of a message of this type, in one shape whatever is set.

    Scalars and lists are always there, even when zero or empty; messages and optional scalars are absent when not set.
    The object may share its empty lists and objects with others: serialise it, don't change it.
    """
    fields = _fields(message_type, full_writer)
    # In the order of the contract, with a place held for what may be absent.
    blank = {field.name: None if field.has_presence else _json_default(field) for field in message_type.fields}
    may_be_absent = [field.name for field in message_type.fields if field.has_presence]

    def write(message: Message) -> dict[str, Any]:
        json_object: dict[str, Any] = blank.copy()
        for field, value in message.ListFields():
            name, convert = fields[field.number]
            json_object[name] = value if convert is None else convert(value)
        for name in may_be_absent:
            if json_object[name] is None:
                del json_object[name]
        return json_object

    return write


@cache
def brief_writer(message_type: Descriptor) -> Write:
    """A function that gives the JSON object of a message of this type, without what is zero, empty or not set."""
    fields = _fields(message_type, brief_writer)

    def write(message: Message) -> dict[str, Any]:
        json_object: dict[str, Any] = {}
        for field, value in message.ListFields():
            name, convert = fields[field.number]
            json_object[name] = value if convert is None else convert(value)
        return json_object

    return write


def _fields(message_type: Descriptor, inner: Callable[[Descriptor], Write]) -> dict[int, tuple[str, Convert | None]]:
    return {field.number: (field.name, _field_converter(field, inner)) for field in message_type.fields}


def _json_default(field: FieldDescriptor) -> Any:
    if map_entry(field) is not None:
        return {}
    if field.is_repeated:
        return []
    convert = _value_converter(field, full_writer)
    return field.default_value if convert is None else convert(field.default_value)


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """The message of key and value behind a map field; None for every other field."""
    entry = field.message_type
    return entry if entry is not None and entry.GetOptions().map_entry else None


def _field_converter(field: FieldDescriptor, inner: Callable[[Descriptor], Write]) -> Convert | None:
    entry = map_entry(field)
    if entry is not None:
        convert_value = _value_converter(entry.fields_by_name["value"], inner) or _unchanged
        return lambda entries: {_map_key(key): convert_value(entries[key]) for key in entries}
    convert = _value_converter(field, inner)
    if field.is_repeated:
        return list if convert is None else lambda values: [convert(value) for value in values]
    return convert


def _unchanged(value: Any) -> Any:
    return value


def _map_key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _value_converter(field: FieldDescriptor, inner: Callable[[Descriptor], Write]) -> Convert | None:
    """What one value of this field needs on its way to JSON; None when JSON takes it as it is."""
    if field.message_type is not None:
        return _message_converter(field.message_type, inner)
    if field.enum_type is not None:
        return _enum_converter(field.enum_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode("ascii")
    if field.cpp_type in _INT64:
        return str
    if field.cpp_type in _FLOATS:
        return _json_number
    return None


def _message_converter(message_type: Descriptor, inner: Callable[[Descriptor], Write]) -> Convert:
    if message_type.full_name == "google.protobuf.Timestamp":
        return lambda moment: format_timestamp(moment.seconds, moment.nanos)
    if message_type.full_name.startswith("google.protobuf."):
        return json_format.MessageToDict
    return inner(message_type)


def _enum_converter(enum_type: EnumDescriptor) -> Convert:
    names = {number: value.name for number, value in enum_type.values_by_number.items()}
    return lambda number: names.get(number, number)


def _json_number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def format_timestamp(seconds: int, nanos: int) -> str:
    """RFC 3339 in UTC with 0, 3, 6 or 9 fractional digits, as the proto JSON mapping has it."""
    day, second = divmod(seconds, 86_400)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_date(day)}T{hour:02d}:{minute:02d}:{second:02d}{_fraction(nanos) if nanos else ''}Z"


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _fraction(nanos: int) -> str:
    if nanos % 1_000:
        return f".{nanos:09d}"
    if nanos % 1_000_000:
        return f".{nanos // 1_000:06d}"
    return f".{nanos // 1_000_000:03d}"
