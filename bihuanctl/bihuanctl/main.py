"""The `bihuan` command: finds the file of the command that was asked for, and says in the caller's language what was
refused."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
from servicekit.errors import Fault
from servicekit.languages import LANGUAGES, as_language
from typer.core import TyperCommand, TyperGroup

from bihuanctl.helptexts import translate_help
from bihuanctl.misuse import EXIT_MISUSED, NoArgsIsHelpError, UsageError, misuse_of
from bihuanctl.platform.layout import Layout
from bihuanctl.refusal import EXIT_FAILED, Refusal
from bihuanctl.session import Session
from bihuanctl.texts import Texts, choose_language, take_language


class Entry(NamedTuple):
    """A command in the overview: its file in commands/, and its help, which a test holds to what the command says."""

    file: str
    help: str


# In the order of the help. A file is read only when its command is used: all together import a second of libraries.
COMMANDS: Final = {
    "up": Entry("up", "Start the whole platform, or say that it runs."),
    "down": Entry("down", "Stop the platform, in order and completely."),
    "status": Entry("status", "Show what runs. Exit status 1 when something does not, or nothing runs."),
    "users": Entry("access", "List the accounts of the built-in issuer with their generated passwords."),
    "token": Entry("access", "Print an access token for one of the accounts, to send as `Authorization: Bearer …`."),
    "demo": Entry(
        "demo", "Play real requests through the whole loop, with platform time moved on, and prove that none fell out."
    ),
    "call": Entry("call", "Call the hotline: type keys and Enter, Enter alone for silence, Ctrl-D to hang up."),
    "case": Entry(
        "case", "Show one case: stage, who is responsible, what is promised by when, what comes next, and its history."
    ),
    "trace": Entry(
        "trace",
        "Draw the whole life of a case: its stages in platform time, and the requests that moved it across services.",
    ),
    "check": Entry(
        "check", "Compare all services and the event log. Exit status 1 when anything fell out of the loop."
    ),
    "compliance": Entry("compliance", "Hold what the manuals ask against what came of it, clause by clause."),
    "quality": Entry("quality", "Figures of service quality."),
    "events": Entry("events", "List what happened on the bus, or watch it happen."),
    "logs": Entry("logs", "Show the logs of all processes, or of one."),
    "clock": Entry("clock", "Platform time, for tests and demos."),
    "archive": Entry("archive", "The archive: search, request, open, export, keep."),
    "dead-letters": Entry("dead_letters", "Messages that a service could not handle."),
    "partners": Entry("partners", "Partners, what they may see, and their feeds."),
    "restart": Entry("processes", "Stop one process and start it again; returns when it is healthy."),
    "stop": Entry("processes", "Stop one process; it stays stopped until `bihuan start`."),
    "start": Entry("processes", "Start a process that was stopped; returns when it is healthy."),
    "version": Entry("version", "Show the version."),
}


class Commands(TyperGroup):
    """All commands, each imported when it is asked for."""

    # The language of the help.
    texts: Texts

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- Typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- Typer's signature
        if cmd_name not in COMMANDS:
            return None
        found = typer.main.get_command(import_module(f"bihuanctl.commands.{COMMANDS[cmd_name].file}").app)
        # A file with several commands, or with one, or with a group that is itself the command.
        command = getattr(found, "commands", {}).get(cmd_name, found)
        command.name = cmd_name
        translate_help(command, self.texts)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        resolved = super().resolve_command(ctx, args)
        _quieten_libraries()
        return resolved

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The overview, from the table alone."""
        named = [TyperCommand(name, help=entry.help) for name, entry in COMMANDS.items()]
        overview = TyperGroup(name=self.name, help=self.help, params=self.params, commands=named)
        translate_help(overview, self.texts)
        overview.format_help(ctx, formatter)


def prepare(
    # Taken out of the line before it is parsed, because the help depends on it; here it is only told of.
    language: Annotated[
        str, typer.Option("--lang", metavar="zh-CN|en", help="Language of the texts; else BIHUAN_LANG, else LANG.")
    ] = "",
) -> None:
    """Run the Bihuan platform on this machine and look after it."""


def build(texts: Texts) -> Any:
    """The command tree, without the commands themselves."""
    tree = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    tree.callback()(prepare)
    command = typer.main.get_command(tree)
    assert isinstance(command, Commands)
    command.texts = texts
    return command


def run(arguments: Sequence[str]) -> int:
    """Does what the line says. Gives the exit status: 0 done, 1 refused or not as it should be, 2 not understood."""
    asked, line = take_language(arguments)
    session = Session(Texts(choose_language(asked, os.environ)), Layout.chosen(os.environ))
    if asked and as_language(asked) is None:
        session.complain(Refusal("language_unknown", language=asked, known=", ".join(LANGUAGES)))
        return EXIT_MISUSED
    if line[-1:] == ["--lang"]:
        session.complain(Refusal("option_misused", command="bihuan", name="--lang"))
        return EXIT_MISUSED
    try:
        return build(session.texts).main(line, prog_name="bihuan", standalone_mode=False, obj=session) or 0
    except NoArgsIsHelpError:
        return EXIT_MISUSED
    except UsageError as error:
        session.complain(misuse_of(error))
        return EXIT_MISUSED
    except typer.Abort:
        return EXIT_FAILED
    except (Refusal, Fault) as refused:
        session.complain(refused)
    except OSError as error:
        # About a file that somebody named, as opposed to one about a connection.
        if error.filename is None:
            raise
        session.complain(Refusal("file_unusable", path=error.filename, reason=error))
    return EXIT_FAILED


def _quieten_libraries() -> None:
    """Libraries log; on a terminal only what is really wrong belongs beside the answer.

    A command that has imported none which logs is spared the import of the logging too, a third of its whole time.
    """
    if "structlog" in sys.modules:
        import structlog  # noqa: PLC0415 -- as said

        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )


def app() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    app()
