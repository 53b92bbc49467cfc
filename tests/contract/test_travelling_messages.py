"""Events and commands: each says how it travels, on a subject of its own, and survives the way there and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from bihuan.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from servicekit.database.outgoing import to_json
from servicekit.messaging.envelope import decode

EVENT = re.compile(r"bihuan\.(?P<service>[a-z]+|\{service\})\.[a-z][a-z_]*\.[a-z][a-z_]*\.v[1-9][0-9]*")
COMMAND = re.compile(r"bihuan\.(?P<service>[a-z]+)\.commands\.[a-z][a-z_]*")
# Files of contracts in which every message travels, unless another message there is made of it.
EVENT_FILES = "/events.proto"
COMMON = "bihuan.common.v1"


@pytest.fixture(scope="session")
def travelling(messages: list[Descriptor]) -> dict[str, Descriptor]:
    """Messages with the `travels` option, by subject."""
    return {
        message.GetOptions().Extensions[options_pb2.travels].subject: message
        for message in messages
        if message.GetOptions().HasExtension(options_pb2.travels)
    }


def test_every_event_and_command_says_how_it_travels(messages: list[Descriptor]) -> None:
    in_event_files = [message for message in messages if message.file.name.endswith(EVENT_FILES)]
    parts = {
        field.message_type.full_name for message in in_event_files for field in message.fields if field.message_type
    }
    silent = [
        message.full_name
        for message in in_event_files
        if not message.GetOptions().HasExtension(options_pb2.travels) and message.full_name not in parts
    ]
    assert in_event_files
    assert silent == []


def test_every_subject_has_the_right_form_and_its_own_service(travelling: Mapping[str, Descriptor]) -> None:
    for subject, message in travelling.items():
        form = EVENT.fullmatch(subject) or COMMAND.fullmatch(subject)
        assert form, f"{message.full_name}: {subject}"
        service = message.full_name.split(".")[1]
        assert form["service"] == ("{service}" if service == "common" else service), message.full_name


def test_events_tell_what_has_happened(travelling: Mapping[str, Descriptor]) -> None:
    # Past tense all the same, or a state that began.
    not_ending_in_ed = {
        "found",
        "given_up",
        "handed_over",
        "held",
        "lead_taken",
        "made",
        "result_fed_back",
        "sent",
        "waiting",
    }
    for subject in travelling:
        if EVENT.fullmatch(subject):
            happened = subject.split(".")[3]
            assert happened.endswith("ed") or happened in not_ending_in_ed, subject


def test_no_two_messages_share_a_subject(messages: list[Descriptor]) -> None:
    subjects = Counter(
        message.GetOptions().Extensions[options_pb2.travels].subject
        for message in messages
        if message.GetOptions().HasExtension(options_pb2.travels)
    )
    assert [subject for subject, count in subjects.items() if count > 1] == []


def test_the_entity_is_a_text_field_of_the_message(travelling: Mapping[str, Descriptor]) -> None:
    for message in travelling.values():
        entity = message.GetOptions().Extensions[options_pb2.travels].entity
        assert entity in message.fields_by_name, message.full_name
        assert message.fields_by_name[entity].type == FieldDescriptor.TYPE_STRING


def test_every_travelling_message_comes_back_from_json_as_it_was(travelling: Mapping[str, Descriptor]) -> None:
    for message in travelling.values():
        kind = GetMessageClass(message)
        full = fill(kind())
        body = to_json(full)
        assert decode(kind, body) == full, message.full_name
        newer = body[:-1] + b',"a_field_of_tomorrow":1}'
        assert decode(kind, newer) == full, "fields of a newer contract are passed over"


def fill(message: Message) -> Any:
    """Gives every field of the message a value of its own type, lists two of them."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        message.FromJsonString("2026-11-22T05:06:07.089010Z")
        return message
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)["键"] = "值"
        elif field.message_type and field.is_repeated:
            fill(getattr(message, field.name).add())
        elif field.message_type:
            fill(getattr(message, field.name))
        elif field.is_repeated:
            getattr(message, field.name).extend([_value(field), _value(field)])
        else:
            setattr(message, field.name, _value(field))
    return message


def _value(field: FieldDescriptor) -> Any:
    if field.enum_type:
        return field.enum_type.values[-1].number
    return {
        FieldDescriptor.CPPTYPE_STRING: b"\x00\xff" if field.type == FieldDescriptor.TYPE_BYTES else "宽带 ☎",
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_DOUBLE: -19.5,
        FieldDescriptor.CPPTYPE_UINT32: 4_294_967_295,
        FieldDescriptor.CPPTYPE_UINT64: 2**63,
        FieldDescriptor.CPPTYPE_INT32: -7,
        FieldDescriptor.CPPTYPE_INT64: -(2**60),
    }[field.cpp_type]
