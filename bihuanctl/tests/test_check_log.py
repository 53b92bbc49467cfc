"""Reading the event log for the loop check."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from bihuanctl.check.logreading import LogReading, Subscription
from bihuanctl.check.subjects import matches
from bihuanctl.platform.eventlog import LoggedMessage
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.streams import COMMANDS, EVENTS

CASE = str(UUID(int=7))


def _message(type_: str, subject: str, data: dict[str, str], stream: str = EVENTS) -> LoggedMessage:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    envelope = Envelope(uuid4(), type_, "intake", CASE, 1, CASE, now)
    return LoggedMessage(stream, 1, subject, now, envelope, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("bihuan.intake.case.opened.v1", "bihuan.intake.case.opened.v1", True),
        ("bihuan.*.clock.missed.v1", "bihuan.dispatch.clock.missed.v1", True),
        ("bihuan.intake.>", "bihuan.intake.case.opened.v1", True),
        ("bihuan.intake.>", "bihuan.intake", False),
        ("bihuan.intake.case", "bihuan.intake.case.opened.v1", False),
        ("bihuan.intake.case.opened.v1", "bihuan.intake.case", False),
        (">", "bihuan", True),
    ],
)
def test_filters_match_as_in_nats(pattern: str, subject: str, expected: bool) -> None:
    assert matches(pattern, subject) is expected


def test_what_must_take_effect_is_expected_of_every_subscriber() -> None:
    reading = LogReading(
        [
            Subscription("records", EVENTS, "records", ("bihuan.intake.case.closed.v1",)),
            Subscription("dispatch", COMMANDS, "dispatch", ("bihuan.dispatch.commands.create_work_order",)),
        ]
    )
    opened = _message(
        "bihuan.intake.v1.CaseOpened",
        "bihuan.intake.case.opened.v1",
        {"case_id": CASE, "case_number": "2611-0000-0017"},
    )
    closed = _message("bihuan.intake.v1.CaseClosed", "bihuan.intake.case.closed.v1", {})
    asked = _message(
        "bihuan.dispatch.v1.CreateWorkOrder",
        "bihuan.dispatch.commands.create_work_order",
        {"work_order_id": "w1"},
        COMMANDS,
    )
    for message in (opened, closed, asked):
        reading.take(message)
    assert reading.opened == {CASE: "2611-0000-0017"}
    assert reading.work_orders_asked == {"w1": CASE}
    assert reading.total == 3
    assert {key: [event.subject for event in events] for key, events in reading.expected.items()} == {
        ("records", "records"): ["bihuan.intake.case.closed.v1"],
        ("dispatch", "dispatch"): ["bihuan.dispatch.commands.create_work_order"],
    }


@pytest.mark.parametrize("body", [b"garbage", b"[1]", b"{}"])
def test_a_message_without_its_content_stops_no_check(body: bytes) -> None:
    reading = LogReading([Subscription("dispatch", COMMANDS, "dispatch", ("bihuan.dispatch.commands.>",))])
    subject = "bihuan.dispatch.commands.create_work_order"
    reading.take(replace(_message("bihuan.dispatch.v1.CreateWorkOrder", subject, {}, COMMANDS), body=body))
    assert reading.work_orders_asked == {}
    assert len(reading.expected["dispatch", "dispatch"]) == 1
