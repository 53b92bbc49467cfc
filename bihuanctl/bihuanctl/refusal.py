"""The command can't do what was asked, and says why and what to do next."""

from __future__ import annotations

from bihuanctl.texts import Texts

EXIT_FAILED = 1


class Refusal(Exception):  # noqa: N818 -- what is said, not a defect
    """Ends a command with exit status 1. `code` is a key below `refusal.` in texts.yaml.

    Faults (servicekit.errors) are what services answer; refusals are about this machine and this command.
    """

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}
        super().__init__(code, self.params)

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({shown})" if shown else self.code

    def title(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.title", **self.params)

    def detail(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.detail", **self.params)

    def next_step(self, texts: Texts) -> str:
        return texts(f"refusal.{self.code}.next_step", **self.params)
