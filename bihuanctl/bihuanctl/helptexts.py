"""The texts of the help. Typer takes the English from docstrings and options; help.zh-CN.yaml has the Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

from servicekit.documents import packaged

from bihuanctl.texts import Texts


def translate_help(command: Any, texts: Texts) -> None:
    """Puts the help of `command` and all below it into the reader's language, and on a page of ours.

    A text without translation stays English.
    """
    if texts.language == "zh-CN":
        for part in help_places(command):
            part.help = chinese().get(part.help, part.help)
    for each in _commands(command):
        each.format_help = partial(_print_help, each, texts)


def _print_help(command: Any, texts: Texts, context: Any, _formatter: Any) -> None:
    # Its Rich is half of the time that a command takes to start.
    from bihuanctl.helppage import print_help  # noqa: PLC0415

    print_help(command, context, texts)


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for subcommand in getattr(command, "commands", {}).values():
        yield from _commands(subcommand)


def help_places(command: Any) -> Iterator[Any]:
    """Every command and parameter that has a help text of ours."""
    yield command
    yield from (parameter for parameter in command.params if getattr(parameter, "help", None))
    for subcommand in getattr(command, "commands", {}).values():
        yield from help_places(subcommand)


@cache
def chinese() -> Mapping[str, str]:
    """The Chinese help by the English one."""
    translations: Mapping[str, str] = packaged("bihuanctl", "help.zh-CN.yaml")
    return translations
