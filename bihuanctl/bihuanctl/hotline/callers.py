"""Callers: somebody at a keyboard, and a script of keys."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

from bihuanctl.hotline.pages import Said
from bihuanctl.session import Session


class KeyboardCaller:
    """Types keys and Enter; an empty line is silence, the end of the input hangs up."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hear(self, said: Said) -> None:
        self._session.say("call.heard", text=said.text)

    def press(self, seconds: float) -> str | None:  # noqa: ARG002 -- who types needs more time than who presses
        self._session.console.print("> ", end="")
        typed = sys.stdin.readline()
        return typed.strip() if typed else None

    def wait_for_agent(self, address: str, about: str, seconds: float) -> str:  # noqa: ARG002 -- nobody else is there
        self._session.say("call.connected", address=address, about=about)
        return "far_end_disconnect"


class ScriptedCaller:
    """Presses the given keys one after the other and then hangs up; keeps what was heard, and when it began.

    `""` in the script is silence. `agent`: what comes of being put through.
    """

    def __init__(
        self,
        keys: Iterable[str],
        heard: Callable[[Said], None] | None = None,
        *,
        agent: str = "far_end_disconnect",
    ) -> None:
        self._keys = iter(keys)
        self._listen = heard
        self._agent = agent
        self._began = time.monotonic()
        self.first_word_seconds: float | None = None
        self.heard: list[Said] = []
        # Where the caller was put through to, and what the agent was told.
        self.connected: list[tuple[str, str]] = []

    def hear(self, said: Said) -> None:
        if self.first_word_seconds is None:
            self.first_word_seconds = time.monotonic() - self._began
        self.heard.append(said)
        if self._listen is not None:
            self._listen(said)

    def press(self, seconds: float) -> str | None:  # noqa: ARG002 -- a script has all its keys ready
        return next(self._keys, None)

    def wait_for_agent(self, address: str, about: str, seconds: float) -> str:  # noqa: ARG002 -- settled by the script
        self.connected.append((address, about))
        return self._agent
