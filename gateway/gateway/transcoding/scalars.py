"""JSON values → the values of fields that are no messages. Raises Fault with the path of the field."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from servicekit.errors import Fault
from servicekit.plaintext import is_plain, says_something

from gateway.transcoding.constraints import field_rules

# Takes the JSON value and the path of its field; gives the value that the message takes.
Convert = Callable[[Any, str], Any]

INTEGER_RANGES: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
_MOST_NAMES_SHOWN: Final = 12
_LONGEST_PATH: Final = 200


def wrong_type(path: str, expected: str) -> Fault:
    """`expected` is a word of words.yaml, or what the contract itself calls the values."""
    return Fault("field_type_wrong", field=printable(path), expected=expected)


def printable(path: str) -> str:
    """A path that a caller made up, cut and without control characters: it goes into texts and logs."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in path[:_LONGEST_PATH])
    return shown or '""'


def plain_text(value: Any, path: str) -> str:
    """A text as it is. Raises Fault field_type_wrong unless it is one, and can be stored and shown to people."""
    if not isinstance(value, str):
        raise wrong_type(path, "string")
    if not is_plain(value):
        raise wrong_type(path, "text without control characters")
    return value


def scalar(field: FieldDescriptor) -> Convert:
    """The conversion of one value of a field that is no message."""
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.cpp_type in INTEGER_RANGES:
        return _integer(*INTEGER_RANGES[field.cpp_type])
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _boolean
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _meaningful_text if _must_say_something(field) else plain_text
    return _number


def _meaningful_text(value: Any, path: str) -> str:
    """A text that must not be empty, nor as good as empty; the empty text itself is left to the contract's own rule."""
    text = plain_text(value, path)
    if text and not says_something(text):
        raise Fault("text_blank", field=printable(path))
    return text


def _must_say_something(field: FieldDescriptor) -> bool:
    rules = field_rules(field)
    if rules is None:
        return False
    return (rules.repeated.items if field.is_repeated else rules).string.min_len > 0


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(path, "boolean")
    return value


def _integer(least: int, most: int) -> Convert:
    expected = f"integer {least} … {most}"

    def convert(value: Any, path: str) -> int:
        # The mapping writes 64-bit integers as texts, and takes texts for all integers.
        if (isinstance(value, str) and _DIGITS.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise wrong_type(path, expected)
        return value

    return convert


def _number(value: Any, path: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise wrong_type(path, "number")
    try:
        return float(value)
    except OverflowError as error:
        raise wrong_type(path, "number") from error


def _bytes(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise wrong_type(path, "base64") from error


def _enum(enum_type: EnumDescriptor) -> Convert:
    numbers = {value.name: value.number for value in enum_type.values}
    shown = list(numbers)[1 : _MOST_NAMES_SHOWN + 1] + (["…"] if len(numbers) > _MOST_NAMES_SHOWN + 1 else [])
    expected = " | ".join(shown)

    def convert(value: Any, path: str) -> int:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is None:
            raise wrong_type(path, expected)
        return number

    return convert
