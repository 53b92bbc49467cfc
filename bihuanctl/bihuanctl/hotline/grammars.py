"""Grammars of keys (SRGS 1.0 in XML, mode dtmf): which sequences of keys one takes."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element

from bihuanctl.hotline.pages import children, name_of
from bihuanctl.hotline.trouble import PageBroken

_REPEAT: Final = re.compile(r"(\d+)(?:-(\d*))?")
_KEY: Final = re.compile(r"[0-9*#]")


def takes(grammar: Element, keys: str) -> bool:
    """Whether the grammar takes exactly these keys. Raises PageBroken for what this reader does not know."""
    if grammar.get("mode") != "dtmf" or grammar.get("src"):
        raise PageBroken("only inline grammars of mode dtmf are read")
    rules = {str(rule.get("id")): rule for rule in children(grammar, "rule")}
    return re.fullmatch(_rule(rules, str(grammar.get("root")), ()), keys) is not None


def _rule(rules: dict[str, Element], name: str, within: tuple[str, ...]) -> str:
    if name not in rules or name in within:
        raise PageBroken(f"no rule {name}, or one that contains itself")
    return _sequence(rules, rules[name], (*within, name))


def _sequence(rules: dict[str, Element], element: Element, within: tuple[str, ...]) -> str:
    found = _keys(element.text)
    for part in element:
        found += _part(rules, part, within) + _keys(part.tail)
    return found


def _part(rules: dict[str, Element], part: Element, within: tuple[str, ...]) -> str:
    match name_of(part):
        case "item":
            return f"(?:{_sequence(rules, part, within)}){_times(part.get('repeat', '1'))}"
        case "one-of":
            return f"(?:{'|'.join(_part(rules, item, within) for item in children(part, 'item'))})"
        case "ruleref":
            return f"(?:{_rule(rules, part.get('uri', '').removeprefix('#'), within)})"
        case other:
            raise PageBroken(f"<{other}> in a grammar")


def _times(repeat: str) -> str:
    found = _REPEAT.fullmatch(repeat)
    if found is None:
        raise PageBroken(f"repeat={repeat!r}")
    least, most = found[1], found[1] if found[2] is None else found[2]
    return f"{{{least},{most}}}"


def _keys(text: str | None) -> str:
    keys = (text or "").split()
    if not all(_KEY.fullmatch(key) for key in keys):
        raise PageBroken(f"{text!r} is no sequence of keys")
    return "".join(re.escape(key) for key in keys)
