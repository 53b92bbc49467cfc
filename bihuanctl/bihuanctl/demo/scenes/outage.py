"""A whole district loses its broadband: one incident, told once, restored for everybody (INT-15, DSP-06, DSP-07)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.ordinary import DESK, ONLOOKER
from bihuanctl.demo.scenes.stage import Stage
from standards import load

REGION: Final = "cn.sc.cd.jinjiang"
CATEGORY: Final = "internet_access"
COMMANDER: Final = "supervisor"
HANDS: Final = "dispatcher"


async def play(stage: Stage) -> None:
    count = int(load().thresholds["outage_reports"].value)
    cases = await asyncio.gather(*(_report(stage) for _ in range(count)))
    incident_id = await stage.until(lambda: _incident_of(stage, cases[0]), stage.line("never_opened"))
    await stage.until(lambda: _all_in(stage, incident_id, cases, "HANDLING"), stage.line("never_attached"))
    opened = await _look(stage, incident_id)
    stage.say("opened", number=opened["incident_number"], count=count)
    history = (await stage.see(ONLOOKER, f"/v1/cases/{cases[0]['case_id']}/history"))["entries"]
    stage.prove([entry["happened"] for entry in history].count("customer_told") == 1, "told")
    await _let_climb(stage, incident_id, opened)
    await _repair(stage, incident_id)
    await stage.until(lambda: _all_in(stage, incident_id, cases, "DELIVERED"), stage.line("never_delivered"))
    stage.say("restored")
    await stage.advance(timedelta(days=1))
    await asyncio.gather(*(_follow_up(stage, case) for case in cases))
    await stage.until(lambda: _all_in(stage, incident_id, cases, "ARCHIVED"), stage.line("never_archived"))
    await _step(stage, COMMANDER, incident_id, "close", lessons=stage.line("lessons"))
    stage.say("closed", count=count)


async def _report(stage: Stage) -> Json:
    known = {"kind": "fault_repair", "category": CATEGORY}
    return await stage.report(REGION, stage.line("subject"), stage.line("description"), **known)


async def _incident_of(stage: Stage, case: Json) -> str | None:
    seen = await stage.see(ONLOOKER, f"/v1/cases/{case['case_id']}")
    return seen["incident_id"] or None


async def _all_in(stage: Stage, incident_id: str, cases: list[Json], stage_name: str) -> bool:
    listed = await stage.see(ONLOOKER, "/v1/cases", incident_id=incident_id, page_size=200)
    there = {case["case_id"] for case in listed["cases"] if case["stage"] == f"CASE_STAGE_{stage_name}"}
    return {case["case_id"] for case in cases} <= there


async def _look(stage: Stage, incident_id: str) -> Json:
    return await stage.see(ONLOOKER, f"/v1/incidents/{incident_id}")


async def _step(stage: Stage, user: str, incident_id: str, verb: str, **body: str) -> None:
    seen = await _look(stage, incident_id)
    await stage.do(user, f"/v1/incidents/{incident_id}:{verb}", body, version=int(seen["version"]))


async def _let_climb(stage: Stage, incident_id: str, opened: Json) -> None:
    """Nobody answers in the time of the level at which it began: the next one is told by itself."""
    level = int(opened["level"])
    await stage.advance(load().clock(f"emergency_level_{level}").limit)

    async def climbed() -> Json | None:
        seen = await _look(stage, incident_id)
        return seen if seen["level"] < level else None

    above = await stage.until(climbed, stage.line("never_climbed"))
    stage.say("climbed", told=opened["commander"], commander=above["commander"], level=above["level"])


async def _repair(stage: Stage, incident_id: str) -> None:
    await _step(stage, COMMANDER, incident_id, "acknowledge")
    await _step(stage, HANDS, incident_id, "analyse", finding=stage.line("finding"))
    await _step(stage, HANDS, incident_id, "isolate")
    await _step(stage, HANDS, incident_id, "restore", restoration=stage.line("restoration"))


async def _follow_up(stage: Stage, case: Json) -> None:
    """Who says nothing for a day has confirmed; the desk calls everybody back."""
    path = f"/v1/cases/{case['case_id']}"

    async def confirmed() -> Json | None:
        seen = await stage.see(ONLOOKER, path)
        return seen if seen["stage"] == "CASE_STAGE_CONFIRMED" else None

    seen = await stage.until(confirmed, stage.line("never_confirmed"))
    note = {"note": stage.line("called_back"), "reached": True}
    await stage.do(DESK, f"{path}:followUp", note, version=int(seen["version"]))
