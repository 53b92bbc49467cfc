"""What every command knows: the language, the home, the caller's environment, and how to print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from servicekit.errors import Fault

from bihuanctl.platform.layout import Layout
from bihuanctl.refusal import Refusal
from bihuanctl.texts import Texts

if TYPE_CHECKING:
    from bihuanctl.platform.state import PlatformState


def _as_json(value: object) -> str:
    """What JSON has no form of: moments as the API writes them, RFC 3339 in UTC; anything else as it is said."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


@dataclass(frozen=True)
class Session:
    """One call of the command."""

    texts: Texts
    layout: Layout
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    console: Console = field(default_factory=lambda: Console(highlight=False))

    @classmethod
    def of(cls, context: typer.Context) -> Session:
        session = context.find_root().obj
        assert isinstance(session, cls)
        return session

    def say(self, key: str, **params: object) -> None:
        """Prints one text of the catalogue."""
        self.tell(self.texts(key, **params))

    def tell(self, text: str, *, style: str = "") -> None:
        """Prints a text as it is; lines are broken by the terminal, and by nobody where there is none."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    def complain(self, refused: Refusal | Fault) -> None:
        """Says on standard error what was refused, why and what to do; as JSON where JSON was asked for."""
        title, detail, next_step = self._explained(refused)
        violations = refused.violations if isinstance(refused, Fault) else ()
        if "--json" in sys.argv:
            problem: dict[str, Any] = {"code": refused.code, "title": title, "detail": detail, "next_step": next_step}
            if violations:
                problem["violations"] = [{"field": each.field, "message": each.message} for each in violations]
            sys.stderr.write(json.dumps({"error": problem}, ensure_ascii=False) + "\n")
            return
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        stderr.print(title, style="bold red", markup=False)
        stderr.print(detail, markup=False)
        for violation in violations:
            stderr.print(f"  {violation.field}: {violation.message}", markup=False)
        stderr.print(next_step, style="dim", markup=False)

    def _explained(self, refused: Refusal | Fault) -> tuple[str, str, str]:
        if isinstance(refused, Fault):
            text = refused.text(self.texts.language)
            return text.title, text.detail, text.next_step
        return refused.title(self.texts), refused.detail(self.texts), refused.next_step(self.texts)

    def print_json(self, value: Any) -> None:
        """Prints one JSON document, whole and unbroken, for scripts."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_as_json) + "\n")

    def keep_json(self, value: Any, file: Path | None) -> None:
        """Writes one JSON document into `file`, or prints it."""
        if file is None:
            self.print_json(value)
        else:
            file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            self.say("archive.kept", file=file)

    def print_json_line(self, value: Any) -> None:
        """Prints one JSON document on one line, for streams of them."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_as_json) + "\n")
        sys.stdout.flush()

    def platform(self) -> PlatformState:
        """The platform that runs in this home. Raises Refusal `not_running`."""
        from bihuanctl.platform.state import read_running_state  # noqa: PLC0415 -- half of the time that the help takes

        state = read_running_state(self.layout.state)
        if state is None:
            raise Refusal("not_running")
        return state
