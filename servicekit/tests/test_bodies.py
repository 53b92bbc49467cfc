"""What comes on the bus is read, whatever version of the contract it was written for; what is none of it is refused."""

import json
import math

import pytest
from bihuan.common.v1.common_pb2 import ClockWarned
from bihuan.complaints.v1.commands_pb2 import OpenImprovement
from bihuan.complaints.v1.events_pb2 import InvestigationEnded
from bihuan.intake.v1.events_pb2 import CaseOpened
from bihuan.quality.v1.events_pb2 import AlertRaised
from servicekit.messaging.envelope import UnreadableError, decode


def test_what_a_newer_contract_has_besides_is_passed_over() -> None:
    body = b'{"case_id": "c1", "mood": {"deep": [1]}, "proposed": {"confidence": 0.5, "mood": "good"}, "owner": null}'
    assert decode(CaseOpened, body) == CaseOpened(case_id="c1", proposed={"confidence": 0.5})


def test_a_word_of_a_newer_contract_is_no_word_and_its_number_is_kept() -> None:
    assert decode(InvestigationEnded, b'{"state": "SOMETHING_NEW"}') == InvestigationEnded()
    assert decode(InvestigationEnded, b'{"state": 77}').state == 77


def test_numbers_that_json_has_no_form_for() -> None:
    assert decode(AlertRaised, b'{"sample": "18446744073709551615"}').sample == 2**64 - 1
    assert math.isnan(decode(OpenImprovement, b'{"baseline": "NaN"}').baseline)


def test_what_is_there_and_empty_is_there() -> None:
    assert decode(CaseOpened, b'{"proposed": {}}').HasField("proposed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff{}",
        b"[]",
        b"5",
        b'{"case_id": 5}',
        b'{"case_id": ["c1"]}',
        b'{"case_id": "\\ud800"}',
        b'{"priority": "high"}',
        b'{"priority": 1.5}',
        b'{"priority": -1}',
        b'{"proposed": []}',
        b'{"proposed": "yes"}',
        b'{"proposed": {"evidence": "word"}}',
        b'{"proposed": {"evidence": [null]}}',
        b'{"proposed": {"confidence": "much"}}',
    ],
)
def test_what_is_not_the_contracts_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"not a bihuan\.intake\.v1\.CaseOpened"):
        decode(CaseOpened, body)


@pytest.mark.parametrize("due_at", ["tomorrow", "2026-11-02", 5, {}])
def test_a_moment_that_is_none_is_unreadable(due_at: object) -> None:
    with pytest.raises(UnreadableError):
        decode(ClockWarned, json.dumps({"due_at": due_at}).encode())
