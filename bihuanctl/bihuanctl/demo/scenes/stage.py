"""What a scene acts with: people who call the gateway, the clock, and the audience who is told."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from bihuanctl.demo.cast import Cast
from bihuanctl.demo.gateway import Gateway, Json
from bihuanctl.demo.pace import Pace
from bihuanctl.session import Session
from bihuanctl.texts import Texts

# After a look for alerts quality rests twenty times as long: a minute where a look takes three seconds.
PATIENCE_SECONDS: Final = 90.0
LOOK_INTERVAL: Final = 0.05
T = TypeVar("T")


class SceneFailed(Exception):  # noqa: N818 -- what the platform did not do, not a defect of the scene
    """The platform did not do what the scene is there to show."""


@dataclass
class Stage:
    """The stage of one scene. `name` is the scene's module; its lines are in the YAML file beside that."""

    name: str
    session: Session
    gateway: Gateway
    cast: Cast
    pace: Pace
    # Shows one line to whoever watches.
    tell: Callable[[str], None]
    # What was told so far, for scripts.
    told: list[str] = field(default_factory=list)

    # --- people ------------------------------------------------------------------------------------------------------

    async def see(self, user: str, path: str, **query: Any) -> Json:
        """What `user` (a name of `bihuan users`) reads at a path."""
        return await self.gateway.get(self.cast.named(user), path, **query)

    async def do(
        self, user: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = "", version: int = 0
    ) -> Json:
        """`user` creates something under the idempotency `key`, or takes a step on the `version` last seen."""
        return await self.gateway.post(self.cast.named(user), path, body or {}, key=key, version=version)

    async def report(self, region: str, subject: str, description: str, **more: Any) -> Json:
        """Somebody new reports a fault by app; gives the case."""
        caller = {"name": self.line("customer"), "phone": new_phone(), "identity_check": "IDENTITY_CHECK_TOKEN"}
        body = {"channel": "app", "caller": caller, "region": region, "subject": subject, "description": description}
        answer = await self.do("channel-app", "/v1/cases", body | more, key=secrets.token_hex(8))
        case: Json = answer["case"]
        return case

    # --- time --------------------------------------------------------------------------------------------------------

    async def advance(self, step: timedelta) -> None:
        """Moves platform time on, and waits until what came due has happened."""
        await self.pace.advance_to(self.pace.now() + step)

    async def until(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What `look` gives once it gives something. Raises SceneFailed with `what`, what never happened."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen = await look()
            if seen:
                return seen
            if time.monotonic() > deadline:
                raise SceneFailed(what)
            await asyncio.sleep(LOOK_INTERVAL)

    # --- the audience ------------------------------------------------------------------------------------------------

    def line(self, key: str, **facts: object) -> str:
        """A line of the scene's YAML file in the language of the session."""
        return texts_of(self.session.texts, self.name)(key, **facts)

    def say(self, key: str, **facts: object) -> None:
        """Tells what has just been shown."""
        line = self.line(key, **facts)
        self.told.append(line)
        self.tell(f"  ✔ {line}")

    def prove(self, outcome: bool, key: str, **facts: object) -> None:  # noqa: FBT001 -- reads as a sentence
        """Tells the line, which is true; raises SceneFailed with it when it is not."""
        if not outcome:
            raise SceneFailed(self.line(key, **facts))
        self.say(key, **facts)


def texts_of(texts: Texts, scene: str) -> Callable[..., str]:
    """The lines of a scene's YAML file, by key."""

    def line(key: str, **facts: object) -> str:
        return texts(f"demo.scene.{scene}.{key}", **facts)

    return line


def new_phone() -> str:
    """The mobile number of somebody whom the platform does not know."""
    return f"1{secrets.randbelow(10**10):010d}"
