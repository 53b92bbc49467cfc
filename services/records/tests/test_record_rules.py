"""What makes a record complete, how it is graded, and the one form of its content (REC-01, REC-02, REC-05)."""

import json

import pytest
from bihuan.intake.v1 import cases_pb2, events_pb2
from hypothesis import given
from hypothesis import strategies as st
from records.exports.labels import in_words
from records.files.content import canonical_content, content_hash, read_content
from records.files.rules import missing_from, retention_class_of, staff_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({}, []),
        ({"case_number": ""}, ["service_number"]),
        ({"closed_at": None}, ["date"]),
        ({"customer_id": ""}, ["customer"]),
        ({"outcome": "CASE_OUTCOME_UNSPECIFIED"}, ["status"]),
        ({"result": ""}, ["result"]),
        ({"confirmation": "CONFIRMATION_UNSPECIFIED"}, ["feedback"]),
        ({"confirmation": "CONFIRMATION_BY_DEFAULT"}, []),
        ({"satisfaction": 0}, ["rating"]),
        ({"outcome": "CASE_OUTCOME_WITHDRAWN", "result": "", "confirmation": 0, "satisfaction": 0}, []),
    ],
)
def test_rec_01_what_is_missing_is_named(a_closed_case, facts, missing):
    assert missing_from(a_closed_case(**facts)) == missing


def test_rec_01_a_survey_without_an_answer_is_a_recorded_absence(a_closed_case):
    closed = a_closed_case(satisfaction=0)
    closed.history.add(happened="result_delivered", actor="li", details={"survey": "sent"})
    assert missing_from(closed) == []


def test_rec_01_an_empty_event_lacks_everything():
    assert len(missing_from(events_pb2.CaseClosed())) == 9


def test_what_is_missing_has_words_in_both_languages():
    for part in missing_from(events_pb2.CaseClosed()):
        assert in_words("missing", part, "zh-CN") != part
        assert in_words("missing", part, "en") == part.replace("_", " ")
    assert in_words("role", "of_a_later_version", "zh-CN") == "of_a_later_version"


def test_staff_are_named_once_in_order_of_appearance(a_closed_case):
    closed = a_closed_case()
    closed.history.add(happened="follow_up_done", actor="agent1")
    assert staff_of(closed) == ["agent1", "li"]


def test_rec_05_a_complaint_by_case_is_kept_as_one(a_closed_case):
    complaint = cases_pb2.Classification(kind="complaint")
    assert retention_class_of(a_closed_case()) == "service_case"
    assert retention_class_of(a_closed_case(classification=complaint)) == "complaint"


@given(st.dictionaries(TEXTS, TEXTS, max_size=5), TEXTS, st.floats(0, 1), st.binary(max_size=20))
def test_rec_02_content_is_canonical_and_comes_back_whole(details, result, confidence, sealed):
    closed = events_pb2.CaseClosed(
        snapshot=cases_pb2.Case(result=result, proposed=cases_pb2.ProposedClassification(confidence=confidence)),
        history=[cases_pb2.HistoryEntry(details=details)],
        sealed=[events_pb2.SealedText(sealed=sealed)],
    )
    backwards = events_pb2.CaseClosed()
    backwards.CopyFrom(closed)
    backwards.history[0].ClearField("details")
    for key in reversed(details):
        backwards.history[0].details[key] = details[key]
    content = canonical_content(closed)
    assert canonical_content(backwards) == content
    assert read_content(content) == closed
    assert canonical_content(read_content(content)) == content


def test_rec_02_the_canonical_form_stays_as_it_is_documented():
    closed = events_pb2.CaseClosed(
        case_id="c",
        snapshot=cases_pb2.Case(result="已恢复", version=3),
        sealed=[events_pb2.SealedText(role="subject", sealed=b"\xff")],
    )
    content = canonical_content(closed)
    written = '{"case_id":"c","sealed":[{"role":"subject","sealed":"/w=="}],"snapshot":{"result":"已恢复","version":3}}'
    assert content.decode() == written
    assert content_hash(content) == "a5fead7b9a98ebb3ad4273306be8a35bd2aaf15c8ed6fc5e0c8e62ba7585464d"


def test_fields_that_later_contracts_dropped_are_passed_over(a_closed_case):
    content = json.loads(canonical_content(a_closed_case()))
    content["snapshot"]["dropped"] = 1
    assert read_content(json.dumps(content).encode()).snapshot.case_number
