"""The `bihuan` command: finds the file of the command that was asked for, and says in the caller's language what was
refused."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import structlog
import typer
from servicekit.errors import Fault
from typer.core import TyperGroup

from bihuanctl.helptexts import translate_help
from bihuanctl.platform.layout import Layout
from bihuanctl.refusal import EXIT_FAILED, Refusal
from bihuanctl.session import Session
from bihuanctl.texts import Texts, choose_language

# Each command and its file in commands/, in the order of the help. A file is read only when its command is used:
# all together import half a second of libraries.
COMMANDS: Final = {
    "up": "up",
    "down": "down",
    "status": "status",
    "users": "access",
    "token": "access",
    "demo": "demo",
    "call": "call",
    "case": "case",
    "trace": "trace",
    "check": "check",
    "compliance": "compliance",
    "quality": "quality",
    "events": "events",
    "logs": "logs",
    "clock": "clock",
    "archive": "archive",
    "dead-letters": "dead_letters",
    "partners": "partners",
    "restart": "processes",
    "stop": "processes",
    "start": "processes",
    "version": "version",
}


class Commands(TyperGroup):
    """All commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- Typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- Typer's signature
        if cmd_name not in COMMANDS:
            return None
        found = typer.main.get_command(import_module(f"bihuanctl.commands.{COMMANDS[cmd_name]}").app)
        # A file with several commands, or with one, or with a group that is itself the command.
        command = getattr(found, "commands", {}).get(cmd_name, found)
        command.name = cmd_name
        translate_help(command, choose_language(sys.argv, os.environ))
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Refusal, Fault) as refused:
            Session.of(ctx).complain(refused)
            raise typer.Exit(EXIT_FAILED) from None


def prepare(
    context: typer.Context,
    language: Annotated[  # noqa: ARG001 -- read before parsing, because the help depends on it
        str, typer.Option("--lang", metavar="zh-CN|en", help="Language of the texts; else BIHUAN_LANG, else LANG.")
    ] = "",
) -> None:
    """Run the Bihuan platform on this machine and look after it."""
    context.obj = Session(Texts(choose_language(sys.argv, os.environ)), Layout.chosen(os.environ))


def build() -> Any:
    """The command tree, without the commands themselves."""
    tree = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    tree.callback()(prepare)
    return typer.main.get_command(tree)


def app() -> None:
    """The entry point."""
    # Libraries log; on a terminal only what is really wrong belongs beside the answer.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    command = build()
    translate_help(command, choose_language(sys.argv, os.environ))
    command(prog_name="bihuan")


if __name__ == "__main__":
    app()
