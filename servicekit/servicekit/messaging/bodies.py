"""JSON bodies → messages: what `servicekit.protojson` has written, for this version of the contract or another one.

Compiled once per message type, because the library's converter looks every field up again for each message and was
measured at six times the cost. A property test holds it equal to the library's for every event and command: for what
this contract writes, with numbers of enums that it has no words for and fields of a newer one, under either name that
proto JSON has for a field.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from servicekit.protojson import map_entry

# Takes a JSON value; gives what a message's constructor takes, where None stands for a field that is not set.
Convert = Callable[[Any], Any]

_INTEGERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)
_FLOATS = frozenset({FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE})
# Of the library's own messages those that JSON has a text for. The others (Value, Struct, wrappers …) are refused: null
# says something else in some of them than "not given".
_TEXTS = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"})


@cache
def body_reader(message_type: Descriptor) -> Callable[[Any], dict[str, Any]]:
    """A function that turns the JSON object of a message of this type into the arguments of its constructor.

    Fields of a newer contract are passed over, and so are its words for an enum. The function raises whatever a
    conversion meets in a value that is none of its field's: TypeError, ValueError, KeyError …; the constructor refuses
    the rest. Raises TypeError itself for a message type with a field of a kind that it can't read.
    """
    converts: dict[str, tuple[str, Convert]] = {}
    for field in message_type.fields:
        converts[field.name] = converts[field.json_name] = field.name, _field_converter(field)

    def read(json_object: Any) -> dict[str, Any]:
        arguments = {}
        for key, value in json_object.items():
            # null is how proto JSON says "not given".
            if value is not None and key in converts:
                name, convert = converts[key]
                arguments[name] = convert(value)
        return arguments

    return read


def _field_converter(field: FieldDescriptor) -> Convert:
    entry = map_entry(field)
    if entry is not None:
        convert_key = _key_converter(entry.fields_by_name["key"])
        return _map_converter(convert_key, _value_converter(entry.fields_by_name["value"]))
    convert = _value_converter(field)
    return _list_converter(convert) if field.is_repeated else convert


def _map_converter(convert_key: Convert, convert_value: Convert) -> Convert:
    def convert_all(entries: Any) -> dict[Any, Any]:
        if None in entries.values():
            raise TypeError("an object is expected, without null")
        converted = {convert_key(key): convert_value(value) for key, value in entries.items()}
        return {key: value for key, value in converted.items() if value is not None}

    return convert_all


def _list_converter(convert: Convert) -> Convert:
    def convert_all(values: Any) -> list[Any]:
        if not isinstance(values, list) or None in values:
            raise TypeError("a list is expected, without null")
        converted = [convert(value) for value in values]
        return [value for value in converted if value is not None]

    return convert_all


def _key_converter(field: FieldDescriptor) -> Convert:
    """JSON has texts only for keys."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"true": True, "false": False}.__getitem__
    return _value_converter(field)


def _value_converter(field: FieldDescriptor) -> Convert:
    if field.message_type is not None:
        return _message_converter(field.message_type)
    if field.enum_type is not None:
        return _enum_converter(field.enum_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return partial(base64.b64decode, validate=True)
    if field.cpp_type in _INTEGERS:
        return _integer
    if field.cpp_type in _FLOATS:
        return float  # "NaN" and "Infinity" are written as texts
    return _unchanged


def _integer(value: Any) -> Any:
    """64 bits are written as a text, and some write whole numbers as 1.0."""
    if isinstance(value, str) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value


def _unchanged(value: Any) -> Any:
    return value


def _message_converter(message_type: Descriptor) -> Convert:
    if message_type.full_name in _TEXTS:
        well_known = GetMessageClass(message_type)
        return lambda value: json_format.ParseDict(value, well_known())
    if message_type.full_name.startswith("google.protobuf."):
        raise TypeError(f"a body is not read into a {message_type.full_name}")
    return body_reader(message_type)


def _enum_converter(enum_type: EnumDescriptor) -> Convert:
    numbers = {name: value.number for name, value in enum_type.values_by_name.items()}
    # A number that this contract has no word for was written, and is kept, as a number.
    return lambda value: numbers.get(value) if isinstance(value, str) else _integer(value)
