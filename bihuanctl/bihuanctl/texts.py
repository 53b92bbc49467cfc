"""What the command says, in English and Chinese: texts.yaml, and a file for each scene of the demo."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from servicekit.documents import content_of
from servicekit.languages import LANGUAGES, Language, as_language


def choose_language(asked: str, environment: Mapping[str, str]) -> Language:
    """What was asked for with `--lang`, else `BIHUAN_LANG`, else the locale.

    What is none of ours is passed over, and where nothing else is said, as in containers, English is spoken. A
    `--lang` that is none of ours is refused besides, by the command.
    """
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    for wish in (asked, environment.get("BIHUAN_LANG", ""), locale):
        if language := as_language(re.split(r"[_.@]", wish)[0]):
            return language
    return "en"


def take_language(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """What `--lang` says, wherever in the line it stands, and the arguments without it; empty where it says nothing."""
    asked, left = "", iter(arguments)
    rest: list[str] = []
    for argument in left:
        if argument == "--":
            return asked, [*rest, argument, *left]
        if argument.startswith("--lang="):
            asked = argument.removeprefix("--lang=")
        elif argument == "--lang" and (value := next(left, None)) is not None:
            asked = value
        else:
            rest.append(argument)
    return asked, rest


class Texts:
    """The texts of one language. `texts("up.ready", url=…)`; an unknown key is a KeyError, found by the tests."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._texts = {key: entry[language] for key, entry in catalogue().items()}

    def __call__(self, key: str, **params: object) -> str:
        return self._texts[key].format_map({name: str(value) for name, value in params.items()})

    def has(self, key: str) -> bool:
        return key in self._texts


@cache
def catalogue() -> Mapping[str, Mapping[Language, str]]:
    """Every text by dotted key. Raises ValueError that names the key and what is wrong with it."""
    package = files("bihuanctl")
    sources = {"": package.joinpath("texts.yaml")}
    # The lines of a scene of the demo stand beside it.
    for source in package.joinpath("demo", "scenes").iterdir():
        if source.name.endswith(".yaml"):
            sources[f"demo.scene.{source.name.removesuffix('.yaml')}."] = source
    found: dict[str, Mapping[Language, str]] = {}
    for prefix, source in sources.items():
        found.update(_flattened(content_of(source), prefix))
    return found


def _flattened(document: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Mapping[Language, str]]]:
    found: list[tuple[str, Mapping[Language, str]]] = []
    for name, entry in document.items():
        key = f"{prefix}{name}"
        if not isinstance(entry, Mapping):
            raise ValueError(f"{key}: must have {', '.join(LANGUAGES)}")
        if set(entry) == set(LANGUAGES):
            found.append((key, entry))
        else:
            found.extend(_flattened(entry, f"{key}."))
    return found
