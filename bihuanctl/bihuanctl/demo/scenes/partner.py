"""A partner is registered and reads its own feed from NATS, and nothing else (GWY-05)."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any, Final

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.stage import Stage

ADMINISTRATOR: Final = "administrator"
REGION: Final = "cn.gd"
ELSEWHERE: Final = "cn"
LASTS: Final = timedelta(days=365)
WAIT_SECONDS: Final = 0.5


async def play(stage: Stage) -> None:
    # A name is used once, so that every run has a partner of its own.
    partner = f"partner-{secrets.token_hex(4)}"
    scope = {
        "event_types": ["intake.case.*"],
        "domain": REGION,
        "valid_until": (stage.pace.now() + LASTS).isoformat(),
    }
    body = {"partner": partner, "display_name": stage.line("partner"), "scope": scope}
    registered = await stage.do(ADMINISTRATOR, "/v1/partners", body)
    stage.say("registered", partner=partner, region=REGION)
    case = await stage.report(REGION, stage.line("subject"), stage.line("description"))
    other = await stage.report(ELSEWHERE, stage.line("subject"), stage.line("description"))
    # A day away: the durable consumer keeps the place.
    await stage.advance(timedelta(days=1))
    refusals: list[str] = []
    client = await _sign_in(stage, registered["feed"], refusals)
    try:
        told = await _read(stage, client, registered["feed"], case["case_id"])
        await client.publish("bihuan.intake.case.opened.v1", b"{}")
        await client.flush()
        # The client tells of a refusal in a task of its own.
        await stage.until(lambda: _first(refusals), stage.line("refused"))
    finally:
        await client.close()
    whole = json.dumps(told, ensure_ascii=False)
    stage.prove(other["case_id"] not in whole, "own_only", count=len(told))
    personal = (stage.line("customer"), stage.line("subject"), stage.line("description"), other["customer_id"])
    stage.prove(not any(text in whole for text in personal), "impersonal")
    stage.prove(bool(refusals), "refused")
    for opened in (case, other):
        await stage.do("channel-app", f"/v1/cases/{opened['case_id']}:withdraw", {"reason": stage.line("reason")})
    await stage.do(ADMINISTRATOR, f"/v1/partners/{partner}:end", {"reason": stage.line("reason")})


async def _first(refusals: list[str]) -> str | None:
    return refusals[0] if refusals else None


async def _sign_in(stage: Stage, feed: Json, refusals: list[str]) -> Client:
    async def note(error: Exception) -> None:
        refusals.append(str(error))

    async def sign_in() -> Client | None:
        url = stage.session.platform().nats_url
        try:
            return await nats.connect(
                url, user=feed["user"], password=feed["password"], error_cb=note, allow_reconnect=False
            )
        except (nats.errors.Error, OSError):
            return None  # the bus hears of new partners a moment later

    client = await stage.until(sign_in, stage.line("never_let_in"))
    refusals.clear()
    return client


async def _read(stage: Stage, client: Client, feed: Json, case_id: str) -> list[dict[str, Any]]:
    """What waits in the feed, once the case is there."""
    subscription = await client.jetstream().pull_subscribe_bind(durable=feed["consumer"], stream=feed["stream"])
    told: list[dict[str, Any]] = []

    async def read() -> bool:
        try:
            for message in await subscription.fetch(100, timeout=WAIT_SECONDS):
                told.append({"headers": message.headers, "data": json.loads(message.data)})
                await message.ack()
        except (nats.errors.TimeoutError, nats.js.errors.ServiceUnavailableError):
            pass  # nothing more at this moment, or the bus has not opened the way to the feed yet
        return any(event["data"]["case_id"] == case_id for event in told)

    await stage.until(read, stage.line("never_told"))
    return told
