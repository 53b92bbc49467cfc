"""`bihuan call`: a telephone on this machine that calls the hotline (GWY-02)."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from bihuanctl.commands.options import Json
from bihuanctl.hotline.callers import KeyboardCaller, ScriptedCaller
from bihuanctl.hotline.interpreter import Interpreter
from bihuanctl.hotline.platform import ENTRY, PLATFORM_ACCOUNT, VoicePlatform, session_of
from bihuanctl.hotline.telephone import Caller
from bihuanctl.hotline.trouble import Thrown
from bihuanctl.platform.accounts import find_account
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session

_NUMBER: Final = re.compile(r"(\+?[0-9]{5,15})?")

app = typer.Typer(add_completion=False)


@app.command()
def call(
    context: typer.Context,
    number: Annotated[
        str, typer.Option("--from", metavar="NUMBER", help="The caller's number; empty: withheld.")
    ] = "13800138000",
    keys: Annotated[
        str | None,
        typer.Option("--keys", metavar="KEY,KEY,…", help="Press these and hang up; nothing between commas is silence."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Call the hotline: type keys and Enter, Enter alone for silence, Ctrl-D to hang up."""
    session = Session.of(context)
    if not _NUMBER.fullmatch(number):
        raise Refusal("number_wrong", number=number)
    gateway_url = session.platform().gateway_url
    scripted = None
    if keys is not None or as_json:
        heard = None if as_json else lambda said: session.say("call.heard", text=said.text)
        scripted = ScriptedCaller(keys.split(",") if keys else (), heard)
    elif not as_json:
        session.say("call.how")
    caller: Caller = scripted or KeyboardCaller(session)
    with VoicePlatform(find_account(session.layout.issuer, PLATFORM_ACCOUNT)) as platform:
        try:
            Interpreter(platform, caller, session_of(number)).call(f"{gateway_url}{ENTRY}")
        except Thrown as no_page:
            raise Refusal("gateway_away", reason=no_page) from None
    if as_json and scripted is not None:
        session.print_json(
            {
                "heard": [{"language": said.language, "text": said.text} for said in scripted.heard],
                "connected": [{"to": address, "about": about} for address, about in scripted.connected],
            }
        )
    else:
        session.say("call.over")
