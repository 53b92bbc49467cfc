"""A record is found, asked for, opened, taken to court, and forgotten; its proof outlives it (REC-03 to REC-07)."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import Final

from bihuan_verify.documents import read_keys
from bihuan_verify.package import check_package

from bihuanctl.demo.gateway import Json, Refused
from bihuanctl.demo.scenes.ordinary import DESK, finish
from bihuanctl.demo.scenes.stage import Stage

REGION: Final = "cn.sc.cd"
ARCHIVIST: Final = "archivist"
APPROVER: Final = "supervisor"
REQUESTS: Final = "/v1/record-access-requests"
# Longer than an approved record stays open.
A_DAY_LATER: Final = timedelta(hours=25)


async def play(stage: Stage) -> None:
    case = await _archived_case(stage)
    record = await stage.see(ARCHIVIST, f"/v1/records/{case['case_id']}")
    stage.prove("history" not in record or not record["history"], "catalogued", number=record["record_number"])
    stage.prove(await _refusal(stage, REQUESTS, record=case["case_id"]) == "purpose_required", "purpose_needed")
    path = await _approved_request(stage, case["case_id"])
    opened = await stage.do(ARCHIVIST, f"{path}:open")
    stage.prove(stage.line("description") in _texts(opened), "opened", watermark=opened["watermark"])

    package = await _export(stage, path)
    keys = read_keys(await stage.gateway.get(None, "/v1/record-log/keys"))
    head = await stage.gateway.get(None, "/v1/record-log/head")
    stage.prove(
        not check_package(package, keys).findings, "proven", size=head["tree_size"], kilobytes=len(package) >> 10
    )

    await stage.do(APPROVER, f"/v1/customers/{case['customer_id']}:erase", {"reason": stage.line("wish")})
    forgotten = await stage.do(ARCHIVIST, f"{path}:open")
    still_proven = not check_package(await _export(stage, path), keys).findings
    stage.prove(still_proven and not any(_texts(forgotten)), "forgotten")
    await stage.advance(A_DAY_LATER)
    stage.prove(await _refusal(stage, f"{path}:open") == "access_not_open", "over")


async def _archived_case(stage: Stage) -> Json:
    """The desk helps at once; gives the case when its record is filed."""
    case = await stage.report(REGION, stage.line("subject"), stage.line("description"))
    path = f"/v1/cases/{case['case_id']}"
    steps: tuple[tuple[str, Json], ...] = (
        ("assess", {"classification": case["proposed"]["classification"]}),
        ("startHandling", {}),
        ("deliver", {"result": stage.line("result")}),
    )
    for verb, body in steps:
        case = await stage.do(DESK, f"{path}:{verb}", body, version=int(case["version"]))
    return await finish(stage, case["case_id"])


async def _approved_request(stage: Stage, record: str) -> str:
    """The path of a request that somebody else approved."""
    wanted = {"record": record, "purpose": stage.line("purpose")}
    request = await stage.do(ARCHIVIST, REQUESTS, wanted, key=secrets.token_hex(8))
    path = f"{REQUESTS}/{request['request_id']}"
    stage.prove(await _refusal(stage, f"{path}:approve") == "approval_own", "never_oneself")
    approved = await stage.do(APPROVER, f"{path}:approve", version=int(request["version"]))
    stage.say("approved", who=", ".join(approved["approved_by"]))
    return path


async def _export(stage: Stage, path: str) -> bytes:
    exported = await stage.do(ARCHIVIST, f"{path}:export")
    return base64.b64decode(exported["package"])


async def _refusal(stage: Stage, path: str, **body: str) -> str:
    """The code with which the archivist is refused; empty when they are not."""
    try:
        await stage.do(ARCHIVIST, path, body)
    except Refused as refused:
        return refused.code
    return ""


def _texts(opened: Json) -> list[str]:
    return [text["text"] for text in opened["texts"]]
