"""Everything that a person reads exists in Chinese and English."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bihuanctl.check.rules import RULES, judge
from bihuanctl.helptexts import chinese, help_places
from bihuanctl.main import COMMANDS, build
from bihuanctl.texts import Texts, catalogue, choose_language
from servicekit.languages import LANGUAGES

from_catalogue = pytest.mark.parametrize("key", sorted(catalogue()))


@from_catalogue
def test_a_text_has_the_same_places_in_both_languages(key: str) -> None:
    places = {language: sorted(re.findall(r"\{(\w+)\}", catalogue()[key][language])) for language in LANGUAGES}
    assert places["en"] == places["zh-CN"]
    assert all(catalogue()[key][language].strip() for language in LANGUAGES)


def test_the_help_is_translated_completely_and_nothing_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIHUAN_LANG", "en")
    tree: Any = build()
    english = {part.help for part in help_places(tree)}
    for name in COMMANDS:
        english |= {part.help for part in help_places(tree.get_command(None, name))}
    assert english == set(chinese())


def test_the_overview_says_of_each_command_what_the_command_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIHUAN_LANG", "en")
    tree: Any = build()
    assert {name: entry.help for name, entry in COMMANDS.items()} == {
        name: tree.get_command(None, name).help for name in COMMANDS
    }


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["bihuan"], {}, "en"),
        (["bihuan"], {"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        (["bihuan"], {"LANG": "de_DE.UTF-8"}, "en"),
        (["bihuan"], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (["bihuan"], {"LANG": "zh_CN.UTF-8", "BIHUAN_LANG": "en"}, "en"),
        (["bihuan", "--lang", "zh-CN", "up"], {"BIHUAN_LANG": "en"}, "zh-CN"),
        (["bihuan", "--lang=zh", "up"], {}, "zh-CN"),
        (["bihuan", "--lang=klingon"], {}, "en"),
        (["bihuan", "--lang=klingon"], {"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        (["bihuan"], {"BIHUAN_LANG": "klingon"}, "zh-CN"),
        (["bihuan", "--lang"], {"LANG": "C"}, "en"),
    ],
)
def test_the_language_is_chosen_from_option_environment_and_locale(
    arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    assert choose_language(arguments, environment) == expected


def test_every_rule_is_applied() -> None:
    assert len(RULES) == len(set(RULES))
    assert judge.__doc__
    assert Texts("en")("check.clean") != Texts("zh-CN")("check.clean")
