"""Two telephone calls: a fault is reported by keys, its progress heard, its result rated (GWY-02, INT-10, INT-12)."""

from __future__ import annotations

import asyncio
from typing import Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.ordinary import DESK, finish
from bihuanctl.demo.scenes.stage import SceneFailed, Stage, new_phone
from bihuanctl.hotline.callers import ScriptedCaller
from bihuanctl.hotline.interpreter import Interpreter
from bihuanctl.hotline.platform import ENTRY, PLATFORM_ACCOUNT, VoicePlatform, session_of
from bihuanctl.hotline.trouble import PageBroken, Thrown

_LANGUAGE_KEYS: Final = {"zh-CN": "1", "en": "2"}
# Report, agree to be registered, broadband, no internet at all, Guangdong → Guangzhou → Tianhe, send.
REPORT: Final = ("1", "1", "1", "1", "1", "1", "1", "1")
# Progress of the latest case; back to the menu; rate it with 5.
LISTEN_AND_RATE: Final = ("2", "1", "9", "3", "5")


async def play(stage: Stage) -> None:
    number = new_phone()
    heard = await _call(stage, number, *REPORT)
    case = await _case_of(stage, number)
    spoken = " ".join(case["case_number"].replace("-", ""))
    stage.prove(spoken in heard, "reported", number=case["case_number"])
    path, version = f"/v1/cases/{case['case_id']}", int(case["version"])
    verdict = {"classification": case["proposed"]["classification"]}
    for verb, body in (("assess", verdict), ("startHandling", {}), ("deliver", {"result": stage.line("result")})):
        version = int((await stage.do(DESK, f"{path}:{verb}", body, version=version))["version"])
    heard = await _call(stage, number, *LISTEN_AND_RATE)
    stage.prove(spoken in heard, "listened")
    rated = await stage.see("auditor", path)
    stage.prove(rated["satisfaction"] == int(LISTEN_AND_RATE[-1]), "rated", score=rated["satisfaction"])
    await finish(stage, case["case_id"], through=PLATFORM_ACCOUNT)


async def _call(stage: Stage, number: str, *keys: str) -> str:
    """Calls the hotline from `number` in the language of the session; gives all that was heard."""
    caller = ScriptedCaller([_LANGUAGE_KEYS[stage.session.texts.language], *keys])
    address = f"{stage.session.platform().gateway_url}{ENTRY}"
    with VoicePlatform(stage.cast.named(PLATFORM_ACCOUNT)) as platform:
        telephone = Interpreter(platform, caller, session_of(number))
        try:
            await asyncio.to_thread(telephone.call, address)
        except (PageBroken, Thrown) as broken:
            raise SceneFailed(str(broken)) from None
    return "\n".join(said.text for said in caller.heard)


async def _case_of(stage: Stage, number: str) -> Json:
    """The one case of whoever calls from `number`."""
    found = await stage.do(DESK, "/v1/customers:find", {"phone": number})
    for customer in found["customers"]:
        listed = await stage.see("auditor", "/v1/cases", customer_id=customer["customer_id"])
        for case in listed["cases"]:
            opened: Json = case
            return opened
    raise SceneFailed(stage.line("never_opened"))
