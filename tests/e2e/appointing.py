"""Slots, holds and appointments, as channels, the desk and the dispatcher work with them (INT-09, DSP-05)."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from acting import APP, DISPATCHER, Cast, Engineer, Story

CHINA = timezone(timedelta(hours=8))
CHECKED = {"customer_checked": True, "content_checked": True}


def plan_shifts(cast: Cast, engineer: Engineer, *, first: int = 1, days: int = 1) -> None:
    """Plans the engineer's work from 9 to 18 on `days` days, beginning `first` days from the platform's today."""
    today = cast.platform.now().astimezone(CHINA).date()
    for ahead in range(first, first + days):
        opens = datetime.combine(today + timedelta(days=ahead), time(9), CHINA)
        shift = {"start_date_time": opens.isoformat(), "end_date_time": (opens + timedelta(hours=9)).isoformat()}
        cast.do(DISPATCHER, f"/v1/engineers/{engineer.engineer_id}/shifts", {"valid_for": shift})


def cancel_shifts(cast: Cast, engineer: Engineer) -> None:
    """The engineer is away: nothing of what was planned can be kept by them."""
    for shift in cast.get(DISPATCHER, f"/v1/engineers/{engineer.engineer_id}")["planned_shifts"]:
        cast.do(DISPATCHER, f"/v1/engineers/{engineer.engineer_id}/shifts/{shift['shift_id']}:cancel", {})


def needs(cast: Cast) -> dict[str, str]:
    return {"region": cast.place.region, "skill": cast.place.skill, "level": "junior"}


def slots(cast: Cast) -> list[Any]:
    """What can be had in this place."""
    return cast.get(APP, f"/v1/appointment-slots?{urlencode(needs(cast))}")["available_time_slots"]


def ask_to_hold(cast: Cast, case_id: str, slot: Any) -> httpx.Response:
    """Asks for a slot and gives the answer, whatever it is."""
    wish = needs(cast) | {"case_id": case_id, "start_date_time": slot["valid_for"]["start_date_time"]}
    return cast.ask(APP, "/v1/appointment-reservations", wish, key=str(uuid4()))


def hold(story: Story, slot: Any) -> Any:
    answer = ask_to_hold(story.cast, story.case_id, slot)
    assert answer.status_code == 201, answer.text
    return answer.json()


def book(story: Story, slot: Any, *, user: str = APP, channel: str = "app") -> Any:
    """Holds and books it; asked twice with one key there is one. Gives the appointment once dispatch has answered."""
    held = hold(story, slot)
    wish = CHECKED | needs(story.cast) | {"case": story.number, "channel": channel}
    del wish["region"]
    wish["reservation_id"] = held["reservation_id"]
    key = str(uuid4())
    first = story.cast.do(user, "/v1/appointments", wish, key=key)
    assert story.cast.do(user, "/v1/appointments", wish, key=key)["appointment_id"] == first["appointment_id"]
    return until(story, lambda seen: seen["status"] != "APPOINTMENT_STATE_INITIALIZED", "dispatch never answered")


def newest(story: Story) -> Any:
    """The case's newest appointment, as the customer sees it."""
    return story.cast.get(APP, f"/v1/cases/{story.case_id}/appointments")["appointments"][0]


def step(story: Story, user: str, verb: str, **body: Any) -> Any:
    """`user` does `verb` with the newest appointment as it is now."""
    path = f"/v1/appointments/{newest(story)['appointment_id']}:{verb}"
    return story.cast.do_as_seen(user, path, body, lambda: newest(story))


def until(story: Story, fulfilled: Any, complaint: str) -> Any:
    """The newest appointment once it is so."""

    def look() -> Any:
        seen = newest(story)
        return seen if fulfilled(seen) else None

    return story.cast.platform.eventually(look, f"the appointment of {story.number}: {complaint}", 60.0)


def advance_to(cast: Cast, moment: datetime) -> None:
    """Moves platform time on to a moment that is still ahead."""
    ahead = moment - cast.platform.now()
    cast.platform.advance(f"{int(ahead.total_seconds() // 60) + 1}m")


def starts_at(appointment: Any) -> datetime:
    return datetime.fromisoformat(appointment["valid_for"]["start_date_time"])


def in_china(appointment: Any) -> str:
    """As people are told the time."""
    return starts_at(appointment).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
