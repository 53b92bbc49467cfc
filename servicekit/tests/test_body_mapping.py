"""Bodies of events and commands are read as the protobuf library reads them."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bihuan
import grpc_tools
import pytest
from bihuan.options.v1 import options_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json
from servicekit.messaging.bodies import body_reader
from servicekit.messaging.envelope import UnreadableError, decode
from servicekit.protojson import brief_writer, map_entry
from servicekit.testing.messages import messages


def travelling() -> list[type[Message]]:
    """Every event and command of the contracts."""
    names = [found.name for found in pkgutil.walk_packages(bihuan.__path__, "bihuan.") if found.name.endswith("_pb2")]
    kinds = [kind for name in names for kind in import_module(name).DESCRIPTOR.message_types_by_name.values()]
    return [GetMessageClass(kind) for kind in kinds if kind.GetOptions().HasExtension(options_pb2.travels)]


TRAVELLING = travelling()


def by_the_library(kind: type[Message], body: str | bytes) -> Message:
    return json_format.Parse(body, kind(), ignore_unknown_fields=True)


def with_more(kind: Descriptor, json_object: dict[str, Any], more: Any) -> dict[str, Any]:
    """The same as a newer contract has it: with another field in the message and in every message within."""
    inner = {
        field.name: field.message_type
        for field in kind.fields
        if field.message_type is not None
        and map_entry(field) is None
        and not field.message_type.full_name.startswith("google.protobuf.")
    }
    newer = {"a_field_of_tomorrow": more}
    for name, value in json_object.items():
        if name not in inner:
            newer[name] = value
        elif isinstance(value, list):
            newer[name] = [with_more(inner[name], each, more) for each in value]
        else:
            newer[name] = with_more(inner[name], value, more)
    return newer


@pytest.mark.parametrize("kind", TRAVELLING, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_every_event_and_command_can_be_read(kind: type[Message]) -> None:
    assert kind(**body_reader(kind.DESCRIPTOR)({})) == kind()


ANY_MESSAGE = st.sampled_from(TRAVELLING).flatmap(lambda kind: messages(kind, newer_enums=True))


@settings(max_examples=300, deadline=None)
@given(ANY_MESSAGE, st.none() | st.integers() | st.lists(st.text()) | st.dictionaries(st.text(), st.booleans()))
def test_what_is_written_for_the_bus_is_read_as_the_library_reads_it(message: Message, more: Any) -> None:
    kind, written = type(message), brief_writer(message.DESCRIPTOR)(message)
    body, newer = to_json(written), json.dumps(with_more(message.DESCRIPTOR, written, more)).encode()
    assert decode(kind, body) == message == by_the_library(kind, body)
    assert decode(kind, newer) == message == by_the_library(kind, newer)


@settings(max_examples=100, deadline=None)
@given(ANY_MESSAGE)
def test_fields_are_known_by_the_names_of_proto_json_as_well(message: Message) -> None:
    body = json_format.MessageToJson(message)
    assert decode(type(message), body.encode()) == message == by_the_library(type(message), body)


# Kinds of fields that no event has yet.
OTHER = """
syntax = "proto3";
package other;
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
enum Word { WORD_UNSPECIFIED = 0; WORD_YES = 1; }
message Numbers { int32 small = 1; int64 large = 2; Word word = 3; repeated Word words = 4; }
message Maps {
  map<int32, string> by_number = 1;
  map<uint64, string> by_large_number = 2;
  map<bool, string> by_truth = 3;
  map<string, Word> words = 4;
  map<string, Numbers> numbers = 5;
}
message Anything { google.protobuf.Value anything = 1; }
message Wrapped { repeated google.protobuf.BoolValue wrapped = 1; }
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], type[Message]]:
    """The messages of another contract, by name."""
    folder = tmp_path_factory.mktemp("contract")
    (folder / "other.proto").write_text(OTHER)
    image, library = folder / "other.binpb", Path(grpc_tools.__file__).parent / "_proto"
    arguments = [f"-I{folder}", f"-I{library}", "--include_imports", f"--descriptor_set_out={image}", "other.proto"]
    assert protoc.main(["protoc", *arguments]) == 0
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(image.read_bytes()).file:
        pool.Add(file)
    return lambda name: GetMessageClass(pool.FindMessageTypeByName(f"other.{name}"))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Maps", '{"by_number": {"-5": "a", "7": "b"}, "byLargeNumber": {"18446744073709551615": "a"}}'),
        ("Maps", '{"by_truth": {"true": "a", "false": "b"}}'),
        ("Maps", '{"words": {"a": "WORD_YES", "b": "WORD_OF_TOMORROW", "c": 77}}'),
        ("Maps", '{"numbers": {"a": {"large": "5", "tomorrow": 1}, "b": {}}}'),
        ("Numbers", '{"small": 1.0, "large": -2e3}'),
        ("Numbers", '{"small": "5", "large": 5, "word": 1.0}'),
        ("Numbers", '{"words": ["WORD_YES", "WORD_OF_TOMORROW", 77]}'),
    ],
)
def test_what_no_event_has_yet_is_read_as_the_library_reads_it(
    other: Callable[[str], type[Message]], name: str, body: str
) -> None:
    assert decode(other(name), body.encode()) == by_the_library(other(name), body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Maps", '{"by_number": {"many": "a"}}'),
        ("Maps", '{"by_truth": {"yes": "a"}}'),
        ("Maps", '{"words": {"a": null}}'),
        ("Maps", '{"numbers": {"a": null}}'),
        ("Numbers", '{"small": 1.5}'),
        ("Numbers", '{"small": true}'),
        ("Numbers", '{"words": [null]}'),
    ],
)
def test_what_the_library_refuses_is_unreadable(other: Callable[[str], type[Message]], name: str, body: str) -> None:
    with pytest.raises(json_format.ParseError):
        by_the_library(other(name), body)
    with pytest.raises(UnreadableError):
        decode(other(name), body.encode())


@pytest.mark.parametrize("name", ["Anything", "Wrapped"])
def test_a_contract_with_fields_that_no_reader_knows_is_a_defect(
    other: Callable[[str], type[Message]], name: str
) -> None:
    with pytest.raises(TypeError, match=r"google\.protobuf\."):
        decode(other(name), b"{}")
