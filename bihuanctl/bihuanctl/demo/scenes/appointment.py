"""A slot that many want at once, and an appointment from the booking to the visit that keeps it (INT-09, DSP-05)."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, time, timedelta
from typing import Final
from uuid import uuid4

from servicekit.moments import CHINA_TIME

from bihuanctl.demo.gateway import Json, Refused
from bihuanctl.demo.scenes.ordinary import DESK, finish, visit
from bihuanctl.demo.scenes.stage import Stage

REGION: Final = "cn.sc.cd.wuhou"
NEEDS: Final = {"region": REGION, "skill": "tv_service", "level": "junior"}
CLIENTS: Final = 20
ASSIGNED_AHEAD: Final = timedelta(hours=4)


async def play(stage: Stage) -> None:
    engineer = await _engineer_of_tomorrow(stage)
    slots = (await stage.see("channel-web", "/v1/appointment-slots", **NEEDS))["available_time_slots"]
    stage.say("offered", count=len(slots), engineer=engineer["display_name"])
    await _want_all_the_same(stage, slots[0])
    case = await stage.report(REGION, stage.line("subject"), stage.line("description"))
    appointment = await _book(stage, case, slots[1])
    progress = await stage.see("channel-web", f"/v1/cases/{case['case_id']}/progress")
    stage.say("promised", promise=progress["promise_text"])
    path = f"/v1/appointments/{appointment['appointment_id']}"
    version = int(appointment["version"])
    prepared = await stage.do(DESK, f"{path}:prepare", {"note": stage.line("packed")}, version=version)
    appointment = await _move(stage, case, prepared, slots[2])
    starts = datetime.fromisoformat(appointment["valid_for"]["start_date_time"])
    await stage.pace.advance_to(starts - ASSIGNED_AHEAD)

    async def assigned() -> Json | None:
        order = await stage.see("auditor", f"/v1/work-orders/{appointment['work_order_id']}")
        return order if order["engineer_id"] == engineer["engineer_id"] else None

    await stage.until(assigned, stage.line("never_assigned"))
    stage.say("assigned", engineer=engineer["display_name"])
    await stage.pace.advance_to(starts - timedelta(minutes=30))
    await visit(stage, appointment["work_order_id"])
    await finish(stage, case["case_id"], through="channel-web")
    kept = await stage.see("auditor", path)
    stage.prove(kept["status"] == "APPOINTMENT_STATE_COMPLETED", "kept")
    await _go_home(stage, engineer)


async def _engineer_of_tomorrow(stage: Stage) -> Json:
    """Somebody who is at work tomorrow from 9 to 18, and nobody else here is."""
    name = f"appointment-{secrets.token_hex(4)}"
    held = {"skill": NEEDS["skill"], "level": NEEDS["level"], "valid_until": "2099-01-01T00:00:00Z"}
    entry = {"display_name": "CD-0031", "user_id": name, "territory": REGION, "qualifications": [held]}
    engineer = await stage.do("dispatcher", "/v1/engineers", entry)
    tomorrow = stage.pace.now().astimezone(CHINA_TIME).date() + timedelta(days=1)
    opens = datetime.combine(tomorrow, time(9), CHINA_TIME)
    shift = {"start_date_time": opens.isoformat(), "end_date_time": (opens + timedelta(hours=9)).isoformat()}
    return await stage.do("dispatcher", f"/v1/engineers/{engineer['engineer_id']}/shifts", {"valid_for": shift})


async def _go_home(stage: Stage, engineer: Json) -> None:
    """The next demo begins without this shift."""
    for shift in engineer["planned_shifts"]:
        await stage.do("dispatcher", f"/v1/engineers/{engineer['engineer_id']}/shifts/{shift['shift_id']}:cancel")


async def _hold(stage: Stage, case_id: str, slot: Json) -> Json:
    wish = {**NEEDS, "case_id": case_id, "start_date_time": slot["valid_for"]["start_date_time"]}
    return await stage.do("channel-web", "/v1/appointment-reservations", wish, key=secrets.token_hex(8))


async def _want_all_the_same(stage: Stage, slot: Json) -> None:
    answers = await asyncio.gather(*(_hold(stage, str(uuid4()), slot) for _ in range(CLIENTS)), return_exceptions=True)
    sold = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer for answer in answers if isinstance(answer, Refused) and answer.code == "slot_taken"]
    stage.prove(len(sold) == 1 and len(refused) == CLIENTS - 1, "sold_once", clients=CLIENTS, refused=len(refused))


async def _book(stage: Stage, case: Json, slot: Json) -> Json:
    """By phone: the agent reads everything back, and books what is held. Gives the confirmed appointment."""
    held = await _hold(stage, case["case_id"], slot)
    wish = {
        "case": case["case_number"],
        "reservation_id": held["reservation_id"],
        "channel": "hotline",
        "customer_checked": True,
        "content_checked": True,
        "skill": NEEDS["skill"],
        "level": NEEDS["level"],
    }
    asked = await stage.do(DESK, "/v1/appointments", wish, key=secrets.token_hex(8))

    async def confirmed() -> Json | None:
        seen = await stage.see(DESK, f"/v1/appointments/{asked['appointment_id']}")
        return seen if seen["status"] == "APPOINTMENT_STATE_CONFIRMED" else None

    appointment = await stage.until(confirmed, stage.line("never_confirmed"))
    stage.say("confirmed")
    return appointment


async def _move(stage: Stage, case: Json, appointment: Json, slot: Json) -> Json:
    """The customer prefers another slot; gives the appointment as it is then."""
    held = await _hold(stage, case["case_id"], slot)
    path = f"/v1/appointments/{appointment['appointment_id']}"
    wish = {"reservation_id": held["reservation_id"], "reason": stage.line("not_at_home")}
    await stage.do("channel-web", f"{path}:move", wish, version=int(appointment["version"]))

    async def moved() -> Json | None:
        seen = await stage.see("channel-web", path)
        return seen if seen["moved_times"] else None

    after = await stage.until(moved, stage.line("never_moved"))
    stage.say("moved")
    return after
