"""The gateway as a client sees it: REST calls as somebody, with the patience that a good client has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from pydantic_core import from_json, to_json
from servicekit.languages import Language

from bihuanctl.demo.connections import Answer, Connections, ConnectionTrouble
from bihuanctl.demo.journal import Journal
from bihuanctl.platform.accounts import Account
from bihuanctl.refusal import Refusal

PATIENCE_SECONDS: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0
# A token lives an hour; a new one is fetched well before.
TOKEN_SECONDS: Final = 2700.0
PAGE_SIZE: Final = 200
_LATER: Final = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)

Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 -- what the gateway answered, not a defect of ours
    """The gateway answered with a problem document (RFC 9457)."""

    def __init__(self, what: str, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{what}: {problem.get('title', '')} {problem.get('detail', '')}".strip())
        self.code = str(problem.get("code", ""))


class Gateway:
    """Calls for any number of actors."""

    def __init__(self, connections: Connections, journal: Journal, language: Language) -> None:
        self._connections = connections
        self._journal = journal
        self._language = language
        self._tokens: dict[str, tuple[float, asyncio.Task[str]]] = {}

    async def get(self, actor: Account | None, path: str, **query: Any) -> Json:
        """What `actor` reads; without one, what anybody reads who has not signed in."""
        return await self._call(actor, "GET", f"{path}?{urlencode(query)}" if query else path)

    async def post(
        self, actor: Account, path: str, body: Mapping[str, Any], *, key: str = "", version: int = 0
    ) -> Json:
        """A creation under an idempotency `key`, or a step on the `version` that the actor has seen."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if version:
            headers["If-Match"] = f'"{version}"'
        return await self._call(actor, "POST", path, headers, to_json(body))

    async def pages(self, actor: Account, path: str, name: str, **query: Any) -> AsyncIterator[Json]:
        """Everything in a list, page after page."""
        token = ""
        while True:
            answer = await self.get(
                actor, path, **query, page_size=PAGE_SIZE, **({"page_token": token} if token else {})
            )
            for entry in answer[name]:
                yield entry
            if not (token := answer["next_page_token"]):
                return

    async def _call(
        self,
        actor: Account | None,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Json:
        """Tries again while the platform is busy or a part of it away. Raises Refused, or Refusal `gateway_away`."""
        sent = {"Accept-Language": self._language, **(headers or {})}
        if actor is not None:
            sent["Authorization"] = f"Bearer {await self._token(actor)}"
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            try:
                answer = await self._connections.exchange(method, target, sent, body)
            except ConnectionTrouble as trouble:
                if time.monotonic() > deadline:
                    raise Refusal("gateway_away", reason=trouble) from None
            else:
                if answer.status < HTTPStatus.BAD_REQUEST:
                    self._journal.requests += 1
                    content: Json = from_json(answer.body)
                    return content
                if answer.status not in _LATER or time.monotonic() > deadline:
                    raise Refused(f"{actor.name if actor else '-'} {method} {target}", _problem(answer))
            self._journal.retries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _token(self, actor: Account) -> str:
        """The actor's token. Those who ask at once wait for the same sign-in."""
        fetched_at, signing_in = self._tokens.get(actor.name, (0.0, None))
        if signing_in is None or time.monotonic() > fetched_at + TOKEN_SECONDS:
            signing_in = asyncio.create_task(self._sign_in(actor))
            self._tokens[actor.name] = (time.monotonic(), signing_in)
        return await signing_in

    async def _sign_in(self, actor: Account) -> str:
        form = (
            {"grant_type": "password", "username": actor.name, "password": actor.password}
            if actor.kind == "person"
            else {"grant_type": "client_credentials", "client_id": actor.name, "client_secret": actor.password}
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await self._connections.exchange("POST", "/oidc/token", headers, urlencode(form).encode())
        except ConnectionTrouble as trouble:
            raise Refusal("gateway_away", reason=trouble) from None
        if answer.status != HTTPStatus.OK:
            raise Refusal("sign_in_refused", name=actor.name, reason=answer.body.decode(errors="replace"))
        return str(from_json(answer.body)["access_token"])


@asynccontextmanager
async def open_gateway(url: str, journal: Journal, language: Language) -> AsyncIterator[Gateway]:
    """Connections to the gateway, closed at the end."""
    async with Connections(url, PATIENCE_SECONDS) as connections:
        yield Gateway(connections, journal, language)


def _problem(answer: Answer) -> Json:
    try:
        problem: Json = from_json(answer.body)
    except ValueError:
        return {"title": answer.reason, "detail": answer.body.decode(errors="replace")[:200]}
    return problem
