"""Everything that a person reads exists in Chinese and English."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bihuanctl.check.rules import RULES, judge
from bihuanctl.helptexts import chinese, help_places
from bihuanctl.main import COMMANDS, build
from bihuanctl.texts import Texts, catalogue, choose_language, take_language
from servicekit.languages import LANGUAGES

from_catalogue = pytest.mark.parametrize("key", sorted(catalogue()))


@from_catalogue
def test_a_text_has_the_same_places_in_both_languages(key: str) -> None:
    places = {language: sorted(re.findall(r"\{(\w+)\}", catalogue()[key][language])) for language in LANGUAGES}
    assert places["en"] == places["zh-CN"]
    assert all(catalogue()[key][language].strip() for language in LANGUAGES)


def test_the_help_is_translated_completely_and_nothing_is_left_over() -> None:
    tree: Any = build(Texts("en"))
    english = {part.help for part in help_places(tree)}
    for name in COMMANDS:
        english |= {part.help for part in help_places(tree.get_command(None, name))}
    assert english == set(chinese())


def test_the_overview_says_of_each_command_what_the_command_says() -> None:
    tree: Any = build(Texts("en"))
    assert {name: entry.help for name, entry in COMMANDS.items()} == {
        name: tree.get_command(None, name).help for name in COMMANDS
    }


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        ("", {}, "en"),
        ("", {"LANG": "C"}, "en"),
        ("", {"LANG": "C.UTF-8"}, "en"),
        ("", {"LANG": "en_US"}, "en"),
        ("", {"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ("", {"LANG": "zh_TW.UTF-8"}, "zh-CN"),
        ("", {"LANG": "de_DE.UTF-8"}, "en"),
        ("", {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ("", {"LANG": "zh_CN.UTF-8", "BIHUAN_LANG": "en"}, "en"),
        ("zh-CN", {"BIHUAN_LANG": "en"}, "zh-CN"),
        ("zh", {}, "zh-CN"),
        ("klingon", {}, "en"),
        ("klingon", {"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ("", {"BIHUAN_LANG": "klingon"}, "en"),
        ("", {"BIHUAN_LANG": "klingon", "LANG": "zh_CN.UTF-8"}, "zh-CN"),
    ],
)
def test_the_language_is_chosen_from_option_environment_and_locale(
    asked: str, environment: dict[str, str], expected: str
) -> None:
    assert choose_language(asked, environment) == expected


@pytest.mark.parametrize(
    ("line", "asked", "rest"),
    [
        ("status --json", "", "status --json"),
        ("--lang zh status", "zh", "status"),
        ("status --lang=en --json", "en", "status --json"),
        ("--help --lang fr", "fr", "--help"),
        ("status --lang", "", "status --lang"),
        ("case -- --lang en", "", "case -- --lang en"),
    ],
)
def test_the_language_may_be_asked_for_anywhere_in_the_line(line: str, asked: str, rest: str) -> None:
    assert take_language(line.split()) == (asked, rest.split())


def test_every_rule_is_applied() -> None:
    assert len(RULES) == len(set(RULES))
    assert judge.__doc__
    assert Texts("en")("check.clean") != Texts("zh-CN")("check.clean")
