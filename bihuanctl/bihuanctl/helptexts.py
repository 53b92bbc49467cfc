"""The help in Chinese. Typer takes the English from docstrings and options; help.zh-CN.yaml has the other language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from servicekit.documents import packaged
from servicekit.languages import Language


def translate_help(command: Any, language: Language) -> None:
    """Puts the help of `command` and all below it into `language`. A text without translation stays English."""
    if language == "zh-CN":
        for part in help_places(command):
            part.help = chinese().get(part.help, part.help)


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
