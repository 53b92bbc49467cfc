"""Appointments from offered slots to the visit that keeps them, and the last slot that all want (INT-09, DSP-05)."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from acting import APP, DESK, Cast, clocks_of
from appointing import (
    advance_to,
    ask_to_hold,
    book,
    cancel_shifts,
    hold,
    in_china,
    newest,
    plan_shifts,
    slots,
    starts_at,
    step,
    until,
)
from insistence import Crowd

pytestmark = pytest.mark.e2e

CLIENTS = 50


def test_int09_offered_held_booked_prepared_moved_visited_and_closed(platform, cast: Cast) -> None:
    """Also DSP-05: whoever is assigned keeps the appointed time."""
    engineer = cast.engineer(on_shift=False)
    story = cast.report()
    assert slots(cast) == [], "nobody is at work in the next days"
    plan_shifts(cast, engineer, days=2)
    offered = slots(cast)
    assert [slot["remaining"] for slot in offered] == [1] * 8
    unchecked = cast.ask(
        DESK, "/v1/appointments", {"case": story.number, "reservation_id": str(uuid4()), "channel": "hotline"}
    )
    assert (unchecked.status_code, unchecked.json()["code"]) == (422, "appointment_unchecked")

    booked = book(story, offered[0], user=DESK, channel="hotline")
    assert booked["status"] == "APPOINTMENT_STATE_CONFIRMED"
    assert booked["valid_for"] == offered[0]["valid_for"]
    assert clocks_of(booked) == {"appointment_preparation": "running", "appointment_reminder": "running"}
    assert story.until("assessed")["appointed_for"] == offered[0]["valid_for"]
    assert in_china(booked) in story.progress(language="zh-CN")["promise_text"]
    assert story.until_order("planned")["appointed_for"] == offered[0]["valid_for"]
    prepared = step(story, DESK, "prepare", note="Modem and splitter packed")
    assert clocks_of(prepared)["appointment_preparation"] == "met"

    other = hold(story, offered[2])
    step(story, APP, "move", reservation_id=other["reservation_id"], reason="上午有事")
    moved = until(story, lambda seen: seen["moved_times"] == 1, "it was never moved")
    assert moved["valid_for"] == offered[2]["valid_for"]
    assert [slot["valid_for"] for slot in slots(cast)][:2] == [slot["valid_for"] for slot in offered[:2]]
    assert in_china(moved) in story.progress()["promise_text"]

    advance_to(cast, starts_at(moved) - timedelta(hours=4))
    order = story.until_order("assigned")
    assert (order["engineer_id"], order["assignment_reasons"]) == (engineer.engineer_id, ["appointment"])
    story.visit_step("accept")
    advance_to(cast, starts_at(moved) - timedelta(hours=1))
    until(story, lambda seen: "reminded_at" in seen, "nobody was reminded")
    story.visit_step("arrive")
    until(story, lambda seen: clocks_of(seen)["appointment_arrival"] == "met", "the engineer was not seen")
    story.complete_visit()
    until(story, lambda seen: seen["status"] == "APPOINTMENT_STATE_COMPLETED", "it was never completed")
    story.finish()
    told = [event for event in story.events() if event.startswith("intake.appointment")]
    assert told == [
        f"intake.appointment.{happened}.v1"
        for happened in ("requested", "confirmed", "prepared", "moved", "reminded", "completed")
    ]
    assert all("late" not in entry["happened"] for entry in story.history())
    platform.assert_nothing_fell_out()


def test_dsp05_fifty_clients_want_the_last_slot_and_one_gets_it(platform, cast: Cast) -> None:
    """Then: a hold that nobody books ends by itself; a time that nobody is left to keep is given up, others offered."""
    engineer = cast.engineer(on_shift=False)
    plan_shifts(cast, engineer)
    last, *others = slots(cast)

    answers = Crowd(cast).all_at_once(
        lambda _number: ask_to_hold(cast, str(uuid4()), last), range(CLIENTS), people=CLIENTS
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CLIENTS - 1)
    problem = next(answer.json() for answer in answers if answer.status_code == 409)
    assert problem["code"] == "slot_taken"
    assert problem["detail"].count(";") == len(others) - 1, "the other slots are offered"
    assert last["valid_for"] not in [slot["valid_for"] for slot in slots(cast)]
    platform.advance("11m")
    platform.eventually(lambda: slots(cast)[0] == last, "the hold never ended")

    story = cast.report()
    book(story, last)
    substitute = cast.engineer(on_shift=False)
    plan_shifts(cast, substitute, first=2)
    cancel_shifts(cast, engineer)
    failed = until(story, lambda seen: seen["status"] == "APPOINTMENT_STATE_FAILED", "nobody was told")
    assert (failed["reason"], len(failed["alternatives"])) == ("shift_cancelled", 3)
    told = story.until_case(lambda case: case["stage"] == "CASE_STAGE_ACCEPTED", "it never came back")
    assert "appointed_for" not in told
    promise = story.progress(language="zh-CN")["promise_text"]
    assert all(in_china({"valid_for": period}) in promise for period in failed["alternatives"])

    again = book(story, {"valid_for": failed["alternatives"][0]}, channel="web")
    assert again["status"] == "APPOINTMENT_STATE_CONFIRMED"
    step(story, APP, "cancel", reason="已自行解决")
    story.until("accepted")
    story.step(APP, "withdraw", reason="已自行解决")
    story.until("archived")
    assert newest(story)["status"] == "APPOINTMENT_STATE_CANCELLED"
    platform.assert_nothing_fell_out()
