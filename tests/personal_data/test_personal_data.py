"""Every text field of the contracts says whether people write in it and of whom (REC-05), and the page says so too."""

from __future__ import annotations

from bihuan.options.v1 import options_pb2
from fields import Coded, kind_of, name_of, text_fields, written_in
from google.protobuf.descriptor import FieldDescriptor
from personal_data_page import KINDS, PAGE, current
from servicekit.testing.contracts import contract_messages


def test_every_text_field_is_a_code_or_says_what_people_write_there() -> None:
    coded = Coded.read()
    fields = [field for message in contract_messages() for field in text_fields(message)]
    assert len(fields) > 1000
    neither = [name_of(field) for field in fields if not kind_of(field) and not coded.has(field)]
    both = [name_of(field) for field in fields if kind_of(field) and coded.has(field)]
    assert neither == [], "give them the option `text` in their contract, or name them in words.yaml"
    assert both == []
    assert {kind_of(field) for field in fields} - {""} == KINDS.keys()


def test_words_yaml_names_nothing_that_is_not_there() -> None:
    coded = Coded.read()
    fields = [field for message in contract_messages() for field in text_fields(message)]
    assert coded.names <= {field.name for field in fields}
    assert coded.fields <= {name_of(field) for field in fields}


def test_only_text_fields_say_what_people_write_there() -> None:
    others = [
        field
        for message in contract_messages()
        for field in message.fields
        if field.type != FieldDescriptor.TYPE_STRING
    ]
    assert [name_of(field) for field in others if kind_of(field)] == []


def test_rec05_no_event_names_a_customer_and_partners_get_nothing_that_was_written() -> None:
    travelling = [message for message in contract_messages() if message.GetOptions().HasExtension(options_pb2.travels)]
    assert len(travelling) > 100
    for message in travelling:
        told = dict(written_in(message))
        assert "personal" not in told.values(), message.full_name
        shared = message.GetOptions().Extensions[options_pb2.travels].partner_fields
        written = {path.split(".")[0] for path in told}
        assert not written & set(shared), message.full_name


def test_the_page_is_as_the_contracts_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == current(), "run `make personal-data`"
