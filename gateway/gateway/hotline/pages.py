"""The three kinds of pages of a call, and the documents that they become.

Each page is whole in itself: what is said when nobody presses a key, when the wrong one is pressed, and when the next
page can't be had stands in it, because then there is no gateway to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from servicekit.languages import DEFAULT_LANGUAGE, LANGUAGES, Language

from gateway.hotline import voicexml
from gateway.hotline.wording import Line, line

ENTRY_PATH: Final = "/hotline"
START_PATH: Final = "/hotline/start"
KEYS_PATH: Final = "/hotline/keys"
AGENT_PATH: Final = "/hotline/agent"
TRANSFERRED_PATH: Final = "/hotline/transferred"

REPEAT: Final = "*"
AGENT: Final = "0"
BACK: Final = "9"
# After so many silences, or wrong keys, an agent takes over.
PATIENCE: Final = 3
# Seconds until the first key, and between keys of a number.
_FIRST_KEY: Final = "6s"
_NEXT_KEY: Final = "4s"
# What a transfer ends with when no agent was reached (VoiceXML 2.1 §7.1 and our own word for an error).
UNANSWERED: Final = frozenset({"busy", "noanswer", "network_busy", "unknown", "unreachable"})


@dataclass(frozen=True)
class Ask:
    """Something is said and a key is waited for."""

    lines: tuple[Line, ...]
    keys: tuple[str, ...]
    # So many to so many digits may be keyed in instead.
    digits: tuple[int, int] | None = None
    # Said once, before the question: not again when no key comes.
    before: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Connect:
    """The caller is put through to an agent, who is told `about`."""

    lines: tuple[Line, ...]
    about: str


@dataclass(frozen=True)
class Farewell:
    """The last page of a call."""

    lines: tuple[Line, ...]


Page = Ask | Connect | Farewell


class Documents:
    """Writes pages as VoiceXML. `patience_seconds`: how long a page may take to come; `ringing_seconds`: an agent."""

    def __init__(self, patience_seconds: float, ringing_seconds: float) -> None:
        self._properties = {
            "inputmodes": "dtmf",
            "termchar": "#",
            "timeout": _FIRST_KEY,
            "interdigittimeout": _NEXT_KEY,
            "fetchtimeout": f"{patience_seconds:g}s",
        }
        self._ringing = f"{ringing_seconds:g}s"

    def entry(self) -> bytes:
        """The first page: it asks the platform who calls, and is silent about it when the platform does not know."""
        root = voicexml.document(DEFAULT_LANGUAGE, self._properties, {})
        _leave_on_errors(root)
        form = SubElement(root, "form", id="entry")
        unknown = SubElement(form, "catch", event="error.semantic")
        SubElement(unknown, "var", name="caller", expr=voicexml.literal(""))
        voicexml.submit(unknown, START_PATH, "caller")
        block = SubElement(form, "block")
        SubElement(block, "var", name="caller", expr="session.connection.remote.uri")
        voicexml.submit(block, START_PATH, "caller")
        self._add_trouble(root, None, "")
        return voicexml.serialised(root)

    def page(self, page: Page, language: Language | None, sealed: str, agents: str) -> bytes:
        """`language` is None before one is chosen. `agents`: where they are reached now; empty when they are not."""
        root = voicexml.document(language or DEFAULT_LANGUAGE, self._properties, {"state": sealed})
        if isinstance(page, Farewell):
            _say_and_leave(SubElement(root, "form", id="step"), page.lines)
            return voicexml.serialised(root)
        _leave_on_errors(root)
        form = SubElement(root, "form", id="step")
        if isinstance(page, Ask):
            _add_question(form, page, _spoken(language))
        else:
            self._add_transfer(form, page, agents)
        self._add_trouble(root, language, agents)
        return voicexml.serialised(root)

    def trouble(self, language: Language | None, agents: str) -> bytes:
        """What is said when a step can't be done: an apology, and an agent where there is one."""
        root = voicexml.document(language or DEFAULT_LANGUAGE, self._properties, {})
        self._add_trouble(root, language, agents)
        return voicexml.serialised(root)

    def _add_transfer(self, form: Element, page: Connect, agents: str) -> None:
        voicexml.say(SubElement(form, "block"), page.lines, bargein=False)
        transfer = self._transfer(form, agents, page.about)
        # Not every error: when the next page can't be had, the document's own handler must act.
        unreachable = SubElement(transfer, "catch", event="error.connection error.unsupported error.semantic")
        SubElement(unreachable, "assign", name="outcome", expr="'unreachable'")
        voicexml.submit(unreachable, TRANSFERRED_PATH, "state", "outcome")
        voicexml.submit(SubElement(transfer, "filled"), TRANSFERRED_PATH, "state", "outcome")

    def _add_trouble(self, root: Element, language: Language | None, agents: str) -> None:
        form = SubElement(root, "form", id="trouble")
        # Whatever goes wrong here must not lead here again.
        SubElement(SubElement(form, "catch", event="error"), "disconnect")
        languages = _spoken(language)
        apology = [line(each, "trouble") for each in languages]
        if not agents:
            _say_and_leave(form, [*apology, *(line(each, "call_again") for each in languages)])
            return
        lines = [*apology, *(line(each, "agent.transfer") for each in languages)]
        voicexml.say(SubElement(form, "block"), lines, bargein=False)
        SubElement(SubElement(self._transfer(form, agents, "trouble"), "filled"), "disconnect")

    def _transfer(self, form: Element, agents: str, about: str) -> Element:
        """A bridge: when nobody answers, the caller is still with us."""
        attributes = {"name": "outcome", "dest": agents, "bridge": "true", "connecttimeout": self._ringing}
        return SubElement(form, "transfer", attributes | {"aai": about})


def _spoken(language: Language | None) -> Sequence[Language]:
    return [language] if language else LANGUAGES


def _leave_on_errors(root: Element) -> None:
    SubElement(SubElement(root, "catch", event="error"), "goto", next="#trouble")


def _add_question(form: Element, page: Ask, languages: Sequence[Language]) -> None:
    if page.before:
        voicexml.say(SubElement(form, "block"), page.before)
    field = SubElement(form, "field", name="key")
    voicexml.keys_grammar(field, page.keys, page.digits)
    voicexml.say(field, page.lines)
    for event, key in (("noinput", "silence"), ("nomatch", "mismatch")):
        again = SubElement(field, event, count="1")
        voicexml.say(again, [line(each, key) for each in languages])
        SubElement(again, "reprompt")
        enough = SubElement(field, event, count=str(PATIENCE))
        SubElement(enough, "var", name="reason", expr=voicexml.literal(key))
        voicexml.submit(enough, AGENT_PATH, "state", "reason")
    voicexml.submit(SubElement(field, "filled"), KEYS_PATH, "state", "key")


def _say_and_leave(form: Element, lines: Sequence[Line]) -> None:
    block = SubElement(form, "block")
    voicexml.say(block, lines, bargein=False)
    SubElement(block, "disconnect")
