"""Telephone calls to the hotline, walked by the interpreter that people use too, on the real gateway."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bihuanctl.hotline.callers import ScriptedCaller
from bihuanctl.hotline.interpreter import Interpreter
from bihuanctl.hotline.platform import ENTRY, PLATFORM_ACCOUNT, VoicePlatform, session_of
from bihuanctl.platform.accounts import find_account

# The W3C's schema of VoiceXML 2.1, where somebody has it.
SCHEMA = os.environ.get("BIHUAN_VOICEXML_SCHEMA", "")
SILENCE = ""


@dataclass(frozen=True)
class Heard:
    """One call that is over."""

    text: str
    # Where the caller was put through to, and what the agent was told.
    connected: list[tuple[str, str]]
    first_word_seconds: float


def call(platform: Any, number: str, *keys: str, agent: str = "far_end_disconnect") -> Heard:
    """Dials from `number` (empty: withheld), presses the keys and hangs up. Every page is one that any platform plays:
    the interpreter refuses what is not, and errors that nobody handles."""
    caller = ScriptedCaller(keys, agent=agent)
    account = find_account(platform.home / "issuer", PLATFORM_ACCOUNT)
    with VoicePlatform(account) as voice:
        Interpreter(voice, caller, session_of(number)).call(f"{platform.gateway_url}{ENTRY}")
        if SCHEMA:
            _validate(voice.pages)
    assert caller.first_word_seconds is not None
    text = "\n".join(said.text for said in caller.heard)
    return Heard(text, caller.connected, caller.first_word_seconds)


def spoken(case_number: str) -> str:
    """A case number as it is read: digit by digit."""
    return " ".join(case_number.replace("-", ""))


def _validate(pages: list[bytes]) -> None:
    from lxml import etree  # noqa: PLC0415 -- only for those who have the schema

    schema = etree.XMLSchema(etree.parse(str(Path(SCHEMA))))
    for page in pages:
        schema.assertValid(etree.fromstring(page))
