"""The command can't do what was asked, and says why and what to do next."""

from __future__ import annotations

import errno

from bihuanctl.texts import Texts, catalogue

EXIT_FAILED = 1


class Refusal(Exception):  # noqa: N818 -- what is said, not a defect
    """Ends a command with exit status 1. `code` is a key below `refusal.` in texts.yaml.

    Faults (servicekit.errors) are what services answer; refusals are about this machine and this command. What the
    system says of a file or a connection, an OSError among `params`, is said in words.
    """

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        # As text: a supervisor hands them to the command that waits for it.
        self.params = {name: _as_text(value) for name, value in params.items()}
        super().__init__(code, self.params)

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({shown})" if shown else self.code

    def title(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.title", **self._told(texts))

    def detail(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.detail", **self._told(texts))

    def next_step(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.next_step", **self._told(texts))

    def _told(self, texts: Texts) -> dict[str, str]:
        keys = {name: f"system_error.{value}" for name, value in self.params.items()}
        return {name: texts(keys[name]) if texts.has(keys[name]) else value for name, value in self.params.items()}


def _as_text(value: object) -> str:
    """An OSError by the name of its error where texts.yaml has words for it."""
    if not isinstance(value, OSError):
        return str(value)
    name = errno.errorcode.get(value.errno or 0, "")
    return name if f"system_error.{name}" in catalogue() else value.strerror or str(value)
