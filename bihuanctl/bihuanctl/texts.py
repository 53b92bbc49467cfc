"""What the command says, in English and Chinese: texts.yaml, and a file for each scene of the demo."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from servicekit.documents import content_of
from servicekit.languages import DEFAULT_LANGUAGE, LANGUAGES, Language, as_language


def choose_language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """`--lang` before `BIHUAN_LANG` before the locale; a plain `C` locale, as in containers, says English.

    A `--lang` that is none of ours is passed over: the command refuses it, in the language of the environment.
    """
    if language := as_language(_option(arguments, "--lang") or ""):
        return language
    if asked := environment.get("BIHUAN_LANG"):
        return as_language(asked) or DEFAULT_LANGUAGE
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or "C"
    return as_language(re.split(r"[_.@]", locale)[0]) or "en"


def _option(arguments: Sequence[str], name: str) -> str | None:
    for position, argument in enumerate(arguments):
        if argument == name and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return None


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
