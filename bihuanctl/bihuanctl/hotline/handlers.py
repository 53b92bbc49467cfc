"""Which handler takes an event: the rules of VoiceXML 2.0 §5.2.4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

from bihuanctl.hotline.pages import children, name_of

# Elements that are short for a catch of the event of their name.
_SHORT: Final = ("noinput", "nomatch", "error", "help")


def handler_of(event: str, count: int, scopes: Sequence[Element]) -> Element | None:
    """The handler of an event that happens for the `count`-th time; `scopes` from the innermost out.

    Of those that catch it, the one that counts highest without waiting for more, and of several the innermost.
    """
    catching = [
        handler
        for scope in scopes
        for handler in children(scope, "catch", *_SHORT)
        if _catches(handler, event) and _wanted(handler) <= count
    ]
    highest = max((_wanted(handler) for handler in catching), default=0)
    return next((handler for handler in catching if _wanted(handler) == highest), None)


def _catches(handler: Element, event: str) -> bool:
    """By the whole name or by its beginning, up to a dot; a catch that names no event takes all."""
    name = name_of(handler)
    names = [name] if name != "catch" else handler.get("event", "").split()
    return not names or any(event == each or event.startswith(f"{each}.") for each in names)


def _wanted(handler: Element) -> int:
    return int(handler.get("count", "1"))
