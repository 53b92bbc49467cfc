"""The help in Chinese: Typer takes the English from docstrings and options, texts.yaml has the other language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from servicekit.languages import Language

from bihuanctl.texts import Texts

SOURCE_LANGUAGE: Language = "en"


def translate_help(command: Any, key: str, language: Language) -> None:
    """Puts the help of `command` and all below it into `language`. `key`: where its texts begin in texts.yaml."""
    if language == SOURCE_LANGUAGE:
        return
    texts = Texts(language)
    for place, part in help_places(command, key):
        part.help = texts(place)


def help_places(command: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Every command and parameter that has a help text of ours, with its key in texts.yaml."""
    yield f"{key}.command", command
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield f"{key}.{parameter.name}", parameter
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from help_places(subcommand, f"{key}.{name}")
