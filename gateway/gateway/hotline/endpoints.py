"""The addresses that a voice platform fetches. Whatever happens behind them, the caller hears a page.

A page that a caller is to hear is answered with 200, also when a service is away: a voice platform never plays the body
of another status, it throws error.badfetch in the page before (VoiceXML 2.0 §5.2.6), and before the first page there is
none. Only a platform that may not come in is told so by status: that is for its operator, not for the caller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI
from servicekit.deadlines.calendars import calendars_of
from servicekit.errors import Fault
from servicekit.ids import uuid7
from servicekit.languages import DEFAULT_LANGUAGE
from starlette.requests import Request
from starlette.responses import Response

from gateway.forms import form_of, query_of
from gateway.hotline import dialogue, pages
from gateway.hotline.access import PlatformAccess
from gateway.hotline.call import Call
from gateway.hotline.intake import Intake, Stubs
from gateway.hotline.numbers import caller_number
from gateway.hotline.pages import Documents
from gateway.hotline.state import State, StateSeal
from gateway.hotline.voicexml import MEDIA_TYPE
from gateway.problems import Problems
from standards import Standards

_HEADERS: Final = {"Cache-Control": "no-store"}
# A token's holder may be a platform of the whole country.
_WHOLE: Final = "cn"
_DEFECT: Final = "internal"

log = structlog.get_logger(__name__)
Next = Callable[[Call, Mapping[str, str]], Awaitable[State]]
# From a request, the Authorization to pass on, and the platform's region to a document.
Write = Callable[[Request, str, str], Awaitable[bytes]]


class Hotline:
    """Answers one page after the other. `agents`: where they are reached in shop hours; `now`: real time."""

    def __init__(
        self,
        access: PlatformAccess,
        stubs: Stubs,
        seal: StateSeal,
        standards: Standards,
        problems: Problems,
        *,
        agents: str,
        now: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._stubs = stubs
        self._seal = seal
        self._standards = standards
        self._problems = problems
        self._agents = agents
        self._now = now
        ringing = standards.clocks["hotline_answer"].limit.total_seconds()
        self._documents = Documents(patience_seconds=stubs.seconds + 2, ringing_seconds=ringing)

    def add_to(self, app: FastAPI) -> None:
        app.add_route(pages.ENTRY_PATH, self._page(self._enter), methods=["GET", "POST"])
        app.add_route(pages.START_PATH, self._page(self._start), methods=["POST"])
        for path, go_on in (
            (pages.KEYS_PATH, _after_key),
            (pages.AGENT_PATH, _after_silence),
            (pages.TRANSFERRED_PATH, _after_transfer),
        ):
            app.add_route(path, self._page(self._turn(go_on)), methods=["POST"])

    async def _enter(self, request: Request, authorization: str, root: str) -> bytes:
        """The first page, which finds out who calls; with the query parameter `caller` the platform has said so."""
        caller = query_of(request).get("caller")
        return self._documents.entry() if caller is None else await self._begin(caller, authorization, root)

    async def _start(self, request: Request, authorization: str, root: str) -> bytes:
        return await self._begin((await form_of(request)).get("caller", ""), authorization, root)

    async def _begin(self, caller: str, authorization: str, root: str) -> bytes:
        intake = Intake(self._stubs, authorization, DEFAULT_LANGUAGE)
        state = await dialogue.recognise(uuid7().hex, caller_number(caller), intake)
        return await self._write(state, authorization, root)

    def _turn(self, go_on: Next) -> Write:
        async def turn(request: Request, authorization: str, root: str) -> bytes:
            fields = await form_of(request)
            state = self._seal.open(fields.get("state", ""))
            # Kept for the apology, should anything fail from here on.
            request.state.language = state.language
            return await self._write(await go_on(self._call(state, authorization, root), fields), authorization, root)

        return turn

    async def _write(self, state: State, authorization: str, root: str) -> bytes:
        call = self._call(state, authorization, root)
        page = await dialogue.STEPS[state.step].ask(call)
        return self._documents.page(page, state.language, self._seal.seal(state), call.agents)

    def _call(self, state: State, authorization: str, root: str) -> Call:
        intake = Intake(self._stubs, authorization, state.language or DEFAULT_LANGUAGE)
        return Call(state, intake, self._standards, root or _WHOLE, self._agents_now())

    def _agents_now(self) -> str:
        now = self._now()
        return self._agents if calendars_of(self._standards).next_open(now, "shop_hours") == now else ""

    def _page(self, write: Write) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                platform, authorization = await self._access.admit(request)
            except Fault as fault:
                return await self._refuse(request, fault)
            try:
                document = await write(request, authorization, platform.domain)
            except Exception as failure:  # the caller must hear something, whatever it is
                code = failure.code if isinstance(failure, Fault) else _DEFECT
                log.warning("hotline_page_failed", code=code, path=request.url.path, exc_info=code == _DEFECT)
                document = self._documents.trouble(getattr(request.state, "language", None), self._agents_now())
            return Response(document, headers=_HEADERS, media_type=MEDIA_TYPE)

        return answer

    async def _refuse(self, request: Request, fault: Fault) -> Response:
        response = await self._problems.answer_fault(request, fault)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers.append("WWW-Authenticate", 'Basic realm="bihuan"')
        return response


async def _after_key(call: Call, fields: Mapping[str, str]) -> State:
    return await dialogue.after_key(call, fields.get("key", "").strip())


async def _after_silence(call: Call, fields: Mapping[str, str]) -> State:
    return dialogue.after_silence(call.state, fields.get("reason", ""))


async def _after_transfer(call: Call, fields: Mapping[str, str]) -> State:
    return dialogue.after_transfer(call.state, fields.get("outcome", ""))
