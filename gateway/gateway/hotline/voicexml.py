"""VoiceXML 2.1 documents, built as elements: whatever a name or a subject contains, it stays text.

Grammars are inline and in XML: only those every platform must understand (VoiceXML 2.0 §3.1.1.4), while `builtin:` ones
may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from servicekit.languages import Language

from gateway.hotline.wording import Line, SayAs

NAMESPACE: Final = "http://www.w3.org/2001/vxml"
MEDIA_TYPE: Final = "application/voicexml+xml"
# What XML 1.0 can't carry at all, not even escaped (§2.2).
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def document(language: Language, properties: Mapping[str, str], variables: Mapping[str, str]) -> Element:
    """An empty document. Variables are declared with texts as their values."""
    root = Element("vxml", {"version": "2.1", "xmlns": NAMESPACE, "xml:lang": language})
    for name, value in properties.items():
        SubElement(root, "property", name=name, value=value)
    for name, value in variables.items():
        SubElement(root, "var", name=name, expr=literal(_clean(value)))
    return root


def literal(value: str) -> str:
    """A string of ECMAScript."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def say(parent: Element, lines: Iterable[Line], *, bargein: bool = True) -> None:
    """A prompt for each line, in its own language."""
    for line in lines:
        attributes = {"xml:lang": line.language} | ({} if bargein else {"bargein": "false"})
        prompt = SubElement(parent, "prompt", attributes)
        for part in line.parts:
            if isinstance(part, SayAs):
                spoken = SubElement(prompt, "say-as", {"interpret-as": f"vxml:{part.kind}"})
                spoken.text = _clean(part.value)
            elif len(prompt):
                prompt[-1].tail = (prompt[-1].tail or "") + _clean(part)
            else:
                prompt.text = (prompt.text or "") + _clean(part)


def keys_grammar(parent: Element, keys: Sequence[str], digits: tuple[int, int] | None) -> None:
    """A grammar of single keys; with `digits` also of so many to so many digits in a row."""
    grammar = SubElement(
        parent, "grammar", {"mode": "dtmf", "version": "1.0", "type": "application/srgs+xml", "root": "keys"}
    )
    alternatives = SubElement(SubElement(grammar, "rule", id="keys", scope="public"), "one-of")
    for key in keys:
        SubElement(alternatives, "item").text = key
    if digits is not None:
        item = SubElement(SubElement(alternatives, "item"), "item", repeat=f"{digits[0]}-{digits[1]}")
        SubElement(item, "ruleref", uri="#digit")
        each = SubElement(SubElement(grammar, "rule", id="digit"), "one-of")
        for digit in "0123456789":
            SubElement(each, "item").text = digit


def submit(parent: Element, address: str, *names: str) -> None:
    """Sends the variables and goes on with the page that comes back. By POST: addresses are logged."""
    SubElement(parent, "submit", next=address, method="post", namelist=" ".join(names))


def serialised(root: Element) -> bytes:
    return _DECLARATION + tostring(root, encoding="unicode").encode()


def _clean(text: str) -> str:
    return _NO_XML.sub(" ", text)
