"""The engineers of the demo: registered, qualified and on shift before the first request (DSP-01, DSP-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bihuanctl.demo.cast import Cast
from bihuanctl.demo.gateway import Gateway
from bihuanctl.demo.personas import Crew
from standards import load

VALID_FOR: Final = timedelta(days=365)
# A qualification that ends sooner is granted anew, so that none runs out in the middle of the play.
ENDS_SOON: Final = timedelta(days=60)


class Workforce:
    """Sees to it that the engineers of the table are ready to work."""

    def __init__(self, gateway: Gateway, cast: Cast, crew: Mapping[str, Crew]) -> None:
        self._gateway = gateway
        self._cast = cast
        self._crew = crew

    async def get_ready(self, now: datetime) -> dict[str, str]:
        """User id by engineer id of everybody who can be sent. Doing it twice changes nothing."""
        dispatcher = self._cast.dispatcher
        known = {
            engineer["user_id"]: engineer
            async for engineer in self._gateway.pages(dispatcher, "/v1/engineers", "engineers")
        }
        ready = await asyncio.gather(*(self._ready(user, known.get(user), now) for user in self._crew))
        known |= {engineer["user_id"]: engineer for engineer in ready}
        return {engineer["engineer_id"]: user for user, engineer in known.items()}

    async def _ready(self, user: str, engineer: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
        crew = self._crew[user]
        valid_until = (now + VALID_FOR).replace(microsecond=0).isoformat()
        if engineer is None:
            qualifications = [
                {"skill": skill, "level": crew.level, "valid_until": valid_until} for skill in load().skills
            ]
            body = {
                "display_name": crew.name,
                "user_id": user,
                "territory": crew.territory,
                "qualifications": qualifications,
            }
            engineer = await self._gateway.post(self._cast.dispatcher, "/v1/engineers", body, key=f"demo-{user}")
        path = f"/v1/engineers/{engineer['engineer_id']}"
        lasting = {held["skill"] for held in engineer["qualifications"] if _lasts(held, now)}
        for skill in load().skills.keys() - lasting:
            granted = {"qualification": {"skill": skill, "level": crew.level, "valid_until": valid_until}}
            engineer = await self._gateway.post(self._cast.chief, f"{path}/qualifications", granted)
        if not engineer["on_shift"]:
            engineer = await self._gateway.post(self._cast.dispatcher, f"{path}:setShift", {"on_shift": True})
        return engineer


def _lasts(held: Mapping[str, Any], now: datetime) -> bool:
    return not held["revoked"] and datetime.fromisoformat(held["valid_until"]) > now + ENDS_SOON
