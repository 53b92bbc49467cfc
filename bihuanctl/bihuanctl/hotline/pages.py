"""Reading VoiceXML pages: their elements, properties, and what their prompts say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from bihuanctl.hotline.trouble import PageBroken

NAMESPACE: Final = "http://www.w3.org/2001/vxml"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SECONDS: Final = re.compile(r"\+?(\d*\.?\d+)(ms|s)")
_SAID_AS: Final[Mapping[str, Callable[[str], str]]] = {
    "vxml:digits": " ".join,
    "vxml:date": lambda text: f"{text[:4]}-{text[4:6]}-{text[6:8]}",
    "vxml:time": lambda text: f"{text[:2]}:{text[2:4]}",
}


@dataclass(frozen=True)
class Said:
    """Something that the caller hears."""

    language: str
    text: str


def parse(content: bytes) -> Element:
    """The root of a page. Raises PageBroken."""
    try:
        root = fromstring(content)  # noqa: S314 -- from our own gateway; and expat stops entities that grow without end
    except ParseError as wrong:
        raise PageBroken(str(wrong)) from None
    if root.tag != f"{{{NAMESPACE}}}vxml" or root.get("version") != "2.1":
        raise PageBroken("the page is no VoiceXML 2.1")
    return root


def name_of(element: Element) -> str:
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def children(parent: Element, *names: str) -> list[Element]:
    return [child for child in parent if name_of(child) in names]


def property_of(scopes: Sequence[Element], name: str, default: str) -> str:
    """The value of a property: the innermost scope that sets it counts (VoiceXML 2.0 §6.3)."""
    for scope in scopes:
        for each in children(scope, "property"):
            if each.get("name") == name:
                return str(each.get("value"))
    return default


def seconds(duration: str) -> float:
    """A duration such as `6s` or `500ms`. Raises PageBroken."""
    found = _SECONDS.fullmatch(duration)
    if found is None:
        raise PageBroken(f"{duration!r} is no duration")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def said(prompt: Element, page: Element) -> Said:
    """What a prompt says, with digits, dates and times as they are read."""
    language = prompt.get(_LANGUAGE) or page.get(_LANGUAGE)
    if language is None:
        raise PageBroken("a prompt without a language")
    return Said(language, " ".join("".join(_words(prompt)).split()))


def _words(element: Element) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        if name_of(part) != "say-as" or len(part):
            raise PageBroken(f"<{name_of(part)}> in a prompt")
        kind = part.get("interpret-as", "")
        if kind not in _SAID_AS:
            raise PageBroken(f"interpret-as={kind!r}")
        yield _SAID_AS[kind](part.text or "")
        yield part.tail or ""
