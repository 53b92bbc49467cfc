"""Everything that a person reads exists in Chinese and English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bihuanctl.check import rules
from bihuanctl.check.rules import RULES, judge
from bihuanctl.commands.startdisplay import step_text
from bihuanctl.helptexts import chinese, help_places
from bihuanctl.main import COMMANDS, build
from bihuanctl.texts import Texts, catalogue, choose_language, take_language
from servicekit.languages import LANGUAGES
from servicekit.messaging.users import SERVICES

TREE = Path(__file__).parents[2]

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
    written = {name for name in vars(rules) if name.startswith(("every_", "no_"))}
    left_out = written - {rule.__name__ for rule in RULES}
    assert not left_out, f"add to RULES in check/rules.py: {sorted(left_out)}"
    assert judge.__doc__
    assert Texts("en")("check.clean") != Texts("zh-CN")("check.clean")


@pytest.mark.parametrize("service", SERVICES)
def test_the_start_calls_every_service_by_its_name(service: str) -> None:
    assert Texts("en").has(f"step.{service}"), f"add step.{service} to bihuanctl/texts.yaml"
    assert step_text(f"database_{service}", Texts("en")) == f"database of {service}"


def test_every_finding_of_the_loop_check_has_its_texts() -> None:
    codes = set(_words_given("bihuanctl/bihuanctl/check/*.py", Finding=0, _about=1))
    assert len(codes) > 30
    wanted = {f"check.finding.{code}.{part}" for code in codes for part in ("explanation", "next_step")}
    known = {key for key in catalogue() if key.startswith("check.finding.")}
    assert not wanted - known, f"add to bihuanctl/texts.yaml: {sorted(wanted - known)}"
    assert not known - wanted, f"no rule of check/rules.py finds: {sorted(known - wanted)}"


def test_everything_that_a_service_tells_the_loop_check_of_has_a_name() -> None:
    """As `facts.py` calls it; where a function of its own, `fact`, makes the facts, as it is told."""
    wanted = {f"check.entity.{entity}" for entity in _words_given("services/*/*/**/*.py", EntityFact="entity", fact=0)}
    assert {"check.entity.case", "check.entity.certificate", "check.entity.record_log"} <= wanted
    known = {key for key in catalogue() if key.startswith("check.entity.")}
    assert not wanted - known, f"add to bihuanctl/texts.yaml: {sorted(wanted - known)}"
    assert not known - wanted, f"no service tells of: {sorted(known - wanted)}"


def _words_given(sources: str, **places: int | str) -> Iterator[str]:
    """The words that the sources hand to these functions, at this position or under this name."""
    for source in TREE.glob(sources):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in places:
                continue
            handed = {*enumerate(call.args), *((keyword.arg, keyword.value) for keyword in call.keywords)}
            for place, value in handed:
                if place == places[call.func.id] and isinstance(value, ast.Constant):
                    yield value.value
