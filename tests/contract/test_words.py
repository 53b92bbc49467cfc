"""No contract's word reaches a person: every state and every action has a text in both languages (GWY-01)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import EnumDescriptor, FileDescriptor
from servicekit.errors.words import in_words, words
from servicekit.languages import LANGUAGES

SERVICES = Path(__file__).parents[2] / "services"
# `_require(order, "accept", …)`, `forbidden(case, "pause")` and `action="revoke_certificate"`.
ACTION = re.compile(r"(?:\b_require|require_stage|forbidden)\([a-z_.]+, \"([a-z_]+)\"|action=\"([a-z_]+)\"")


def test_every_state_of_the_contracts_has_a_word(files: list[FileDescriptor]) -> None:
    enums: list[EnumDescriptor] = [each for file in files for each in file.enum_types_by_name.values()]
    states = [each for each in enums if each.name.endswith(("State", "Stage"))]
    assert len(states) > 5
    for enum in states:
        prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
        missing = {value.name.removeprefix(prefix).lower() for value in enum.values[1:]} - words()["state"].keys()
        assert not missing, f"{enum.full_name}: add to errors/words.yaml: {sorted(missing)}"


def test_every_action_that_a_rule_refuses_has_a_word() -> None:
    actions = {
        first or second
        for source in SERVICES.glob("*/[a-z]*/**/*.py")
        if "tests" not in source.parts
        for first, second in ACTION.findall(source.read_text(encoding="utf-8"))
    }
    assert {"accept", "confirm_result", "revoke_certificate"} <= actions
    missing = actions - words()["action"].keys()
    assert not missing, f"add to errors/words.yaml: {sorted(missing)}"


@pytest.mark.parametrize("kind", ["state", "action"])
def test_every_word_exists_in_each_language(kind: str) -> None:
    assert all(set(entry) == set(LANGUAGES) and all(entry.values()) for entry in words()[kind].values())


def test_a_word_that_is_not_there_is_shown_as_it_is() -> None:
    assert in_words("state", "HANDLING", "zh-CN") == "处理中"
    assert in_words("state", "dreaming", "en") == "dreaming"
    assert in_words("region", "handling", "en") == "handling"
