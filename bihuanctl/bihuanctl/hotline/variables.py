"""Variables of a call, and the little ECMAScript that pages for keys need: strings, and the names of variables."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from typing import Final

from bihuanctl.hotline.trouble import PageBroken, Thrown

_STRING: Final = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


class Variables:
    """Innermost scope first; `session` is what the platform knows of the connection."""

    def __init__(self, session: Mapping[str, str]) -> None:
        self._scopes: ChainMap[str, str] = ChainMap({}, dict(session))

    def enter(self) -> None:
        self._scopes = self._scopes.new_child()

    def leave(self) -> None:
        self._scopes = self._scopes.parents

    def declare(self, name: str, value: str) -> None:
        self._scopes[name] = value

    def assign(self, name: str, value: str) -> None:
        """Raises Thrown error.semantic for a variable that was not declared."""
        for scope in self._scopes.maps:
            if name in scope:
                scope[name] = value
                return
        raise Thrown("error.semantic")

    def value(self, name: str) -> str:
        """Raises Thrown error.semantic for a variable that there is not."""
        if name not in self._scopes:
            raise Thrown("error.semantic")
        return self._scopes[name]

    def evaluate(self, expression: str) -> str:
        """Raises Thrown error.semantic, and PageBroken for an expression beyond this interpreter."""
        text = _STRING.fullmatch(expression.strip())
        if text is not None:
            return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text[1])
        if _NAME.fullmatch(expression.strip()):
            return self.value(expression.strip())
        raise PageBroken(f"expression {expression!r}")
