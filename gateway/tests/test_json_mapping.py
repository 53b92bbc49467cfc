"""Our JSON mapping against the library's, over every message of the contracts, and the places of faults (GWY-01)."""

from __future__ import annotations

import json

import pytest
from bihuan.dispatch.v1 import engineers_pb2, work_orders_pb2
from bihuan.intake.v1 import cases_pb2, customers_pb2
from bihuan.records.v1 import records_pb2
from gateway.contracts import CONTRACTS
from gateway.transcoding.bindings import find_bindings
from gateway.transcoding.reading import reader
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json
from servicekit.errors import Fault
from servicekit.errors.words import in_words
from servicekit.protojson import brief_writer, format_timestamp, full_writer
from servicekit.testing.messages import TIMESTAMPS, messages

MESSAGES = sorted(
    {kind for binding in find_bindings(CONTRACTS) for kind in (binding.request_class, binding.response_class)},
    key=lambda kind: kind.DESCRIPTOR.full_name,
)
# Texts that are refused in no field: without control characters, and with something to see unless they are empty.
READABLE = st.just("") | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u202d\u202e"), max_size=8
).map("读{}".format)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MESSAGES).flatmap(messages))
def test_what_we_write_is_what_the_library_writes(message):
    expected = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert full_writer(message.DESCRIPTOR)(message) == expected
    assert json.loads(to_json(full_writer(message.DESCRIPTOR)(message))) == expected


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(MESSAGES).flatmap(messages))
def test_what_we_write_in_brief_is_what_the_library_writes(message):
    expected = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert json.loads(to_json(brief_writer(message.DESCRIPTOR)(message))) == expected


@given(st.sampled_from(MESSAGES).flatmap(messages))
def test_fields_are_written_in_the_order_of_the_contract(message):
    declared = [field.name for field in message.DESCRIPTOR.fields]
    assert sorted(written := list(full_writer(message.DESCRIPTOR)(message)), key=declared.index) == written


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MESSAGES).flatmap(lambda kind: messages(kind, texts=READABLE)))
def test_what_we_wrote_is_read_as_the_same_message(message):
    read = type(message)()
    reader(message.DESCRIPTOR)(read, json.loads(json.dumps(full_writer(message.DESCRIPTOR)(message))), "")
    assert read == message


@given(TIMESTAMPS)
def test_timestamps_are_written_as_the_library_writes_them(moment):
    assert format_timestamp(moment.seconds, moment.nanos) == moment.ToJsonString()


UINT32 = "integer 0 … 4294967295"
READABLE_TEXT = "text without control characters"
DATE_TIME = "RFC 3339 date-time"


@pytest.mark.parametrize(
    ("kind", "body", "field", "expected"),
    [
        (cases_pb2.OpenCaseRequest, [], "body", "object"),
        (cases_pb2.OpenCaseRequest, {"subject": 5}, "subject", "string"),
        (cases_pb2.OpenCaseRequest, {"subject": "a\0b"}, "subject", READABLE_TEXT),
        (cases_pb2.OpenCaseRequest, {"description": "\x1b[31mred"}, "description", READABLE_TEXT),
        (cases_pb2.OpenCaseRequest, {"caller": {"name": "\u202e名"}}, "caller.name", READABLE_TEXT),
        (cases_pb2.OpenCaseRequest, {"caller": {"name": "\u202d名"}}, "caller.name", READABLE_TEXT),
        (cases_pb2.OpenCaseRequest, {"caller": []}, "caller", "object"),
        (cases_pb2.OpenCaseRequest, {"caller": {"name": {}}}, "caller.name", "string"),
        (cases_pb2.ConfirmResultRequest, {"solved": "true"}, "solved", "boolean"),
        (cases_pb2.AnswerSurveyRequest, {"score": 2.5}, "score", UINT32),
        (cases_pb2.AnswerSurveyRequest, {"score": True}, "score", UINT32),
        (cases_pb2.AnswerSurveyRequest, {"score": -1}, "score", UINT32),
        (cases_pb2.AnswerSurveyRequest, {"score": 2**32}, "score", UINT32),
        (cases_pb2.AnswerSurveyRequest, {"score": "٣"}, "score", UINT32),
        (work_orders_pb2.CompleteWorkOrderRequest, {"report": {"parts": {}}}, "report.parts", "array"),
        (
            work_orders_pb2.CompleteWorkOrderRequest,
            {"report": {"parts": [{}, {"quantity": "x"}]}},
            "report.parts[1].quantity",
            UINT32,
        ),
        (
            work_orders_pb2.CompleteWorkOrderRequest,
            {"report": {"readings": [{"value": "high"}]}},
            "report.readings[0].value",
            "number",
        ),
        (work_orders_pb2.CompleteWorkOrderRequest, {"report": {"readings": [None]}}, "report.readings[0]", "object"),
        (
            work_orders_pb2.CompleteWorkOrderRequest,
            {"report": {"readings": [{"value": 10**400}]}},
            "report.readings[0].value",
            "number",
        ),
        (
            engineers_pb2.GrantQualificationRequest,
            {"qualification": {"valid_until": "tomorrow"}},
            "qualification.valid_until",
            DATE_TIME,
        ),
        (
            engineers_pb2.GrantQualificationRequest,
            {"qualification": {"valid_until": 5}},
            "qualification.valid_until",
            DATE_TIME,
        ),
        (customers_pb2.UnsealRequest, {"sealed": ["not base64!"]}, "sealed[0]", "base64"),
        (cases_pb2.HistoryEntry, {"details": {"a": 1}}, "details.a", "string"),
        (
            records_pb2.Record,
            {"grade": 3},
            "grade",
            "DATA_GRADE_PUBLIC | DATA_GRADE_INTERNAL | DATA_GRADE_SENSITIVE | DATA_GRADE_CORE",
        ),
    ],
)
def test_a_wrong_value_is_told_by_place_and_what_was_expected(kind, body, field, expected):
    with pytest.raises(Fault) as raised:
        reader(kind.DESCRIPTOR)(kind(), body, "")
    fault = raised.value
    assert (fault.code, fault.field, fault.params["expected"]) == ("field_type_wrong", field, expected)
    # An enum's names are the contract's own; everything else is said in the reader's language.
    assert "_" in expected or in_words("expected", expected, "zh-CN") != expected


@pytest.mark.parametrize(
    ("body", "field", "known"),
    [
        ({"caller": {"fone": "1"}}, "caller.fone", "phone, …"),
        ({"idempotencyKey": "1"}, "idempotencyKey", "idempotency_key, …"),
        ({"Subject": "1"}, "Subject", "subject, …"),
        ({"caller": {"CustomerID": "1"}}, "caller.CustomerID", "customer_id, …"),
        ({"caller": {"zzz": "1"}}, "caller.zzz", "customer_id, name, phone, identity_check"),
        ({"": "1"}, '""', "idempotency_key, channel, caller, region, subject, description, kind, category, language"),
    ],
)
def test_an_unknown_field_is_told_by_place_with_what_may_be_meant(body, field, known):
    with pytest.raises(Fault) as raised:
        reader(cases_pb2.OpenCaseRequest.DESCRIPTOR)(cases_pb2.OpenCaseRequest(), body, "")
    assert (raised.value.code, raised.value.field, raised.value.params["known"]) == ("field_unknown", field, known)


@pytest.mark.parametrize(
    "moment",
    [
        "2027-01-01T00:00:00",
        "2027-01-01 00:00:00Z",
        "2027-01-01",
        "２０２７-01-01T00:00:00Z",
        "2027-01-01T00:00:00+25:00",
        "2027-02-30T00:00:00Z",
        "2027-01-01T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        1795369063,
        "",
        {},
    ],
)
def test_a_moment_is_written_as_rfc_3339_says(moment):
    kind = engineers_pb2.GrantQualificationRequest
    with pytest.raises(Fault) as raised:
        reader(kind.DESCRIPTOR)(kind(), {"qualification": {"valid_until": moment}}, "")
    assert (raised.value.code, raised.value.params["expected"]) == ("field_type_wrong", DATE_TIME)


@pytest.mark.parametrize("nothing", ["   ", "\u3000", "\t\r\n", "\u200b\u200d", "\ufeff", "\u2028", "\ufffe"])
def test_a_text_that_must_be_given_says_something(nothing):
    with pytest.raises(Fault) as raised:
        reader(cases_pb2.OpenCaseRequest.DESCRIPTOR)(cases_pb2.OpenCaseRequest(), {"subject": nothing}, "")
    assert (raised.value.code, raised.value.field) == ("text_blank", "subject")
    # What may be left out may also be blank.
    reader(cases_pb2.OpenCaseRequest.DESCRIPTOR)(cases_pb2.OpenCaseRequest(), {"description": nothing}, "")


@pytest.mark.parametrize(
    "text", ["宽带断了\n光猫红灯\tLOS", "👨\u200d👩\u200d👧", "e\u0301", " x", "\u200eabc", "a\x0bb", "㍿"]
)
def test_any_other_text_is_taken_as_it_is(text):
    message = cases_pb2.OpenCaseRequest()
    reader(message.DESCRIPTOR)(message, {"subject": text}, "")
    assert message.subject == text


def test_null_means_not_given():
    message = cases_pb2.OpenCaseRequest()
    reader(message.DESCRIPTOR)(message, {"subject": None, "caller": None}, "")
    assert message == cases_pb2.OpenCaseRequest()
