"""No contract's word reaches a person: every state and every action has a text in both languages (GWY-01)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from google.protobuf.descriptor import EnumDescriptor, FileDescriptor
from servicekit.errors.words import in_words, words
from servicekit.histories import actor_in_words, details_in_words, happened_in_words, histories
from servicekit.identity.principal import ROLES
from servicekit.languages import LANGUAGES

import servicekit
from servicekit import errors
from standards import load

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


def test_everything_that_happens_has_a_word() -> None:
    """INT-10: what services write into the histories of cases and complaints, as people read it."""
    found = {word for tree in history_sources() for word in happenings(tree)}
    assert {"case_opened", "engineer_arrived", "appointment_moved", "improvement_planned"} <= found
    # What an appointment ends with is put together from its state.
    found |= {f"appointment_{state}" for state in ("cancelled", "failed", "completed")}
    missing = found - histories()["happened"].keys()
    assert not missing, f"add to servicekit/histories.yaml: {sorted(missing)}"


def test_every_detail_of_a_history_has_a_name() -> None:
    found = {name for tree in history_sources() for name in details(tree)}
    assert {"channel", "work_order_number", "percent", "reason"} <= found
    missing = found - histories()["detail"].keys()
    assert not missing, f"add to servicekit/histories.yaml: {sorted(missing)}"


def test_every_notice_to_customers_has_a_word() -> None:
    assert not load().stages.notices.keys() - histories()["value"].keys()


@pytest.mark.parametrize("kind", ["happened", "actor", "detail", "value"])
def test_every_word_of_a_history_exists_in_each_language(kind: str) -> None:
    for word, entry in histories()[kind].items():
        assert set(entry) == set(LANGUAGES)
        assert all(entry.values())
        assert not re.search("[a-z]_[a-z]", entry["en"]), word
        assert not re.search("[a-z]{3}", entry["zh-CN"]), word


def test_a_history_is_told_in_words() -> None:
    told = {
        "clock": "fault_response",
        "channel": "email",
        "kind": "fault_repair",
        "kept": "false",
        "end": "soon",
        "previous_handler": "",
        "reasons": "none_on_shift, of_a_later_version",
        "start": "2026-11-22T16:30:00+00:00",
        "work_order_id": "0193a5f0-0000-7000-8000-000000000001",
    }
    assert happened_in_words("case_opened", "zh-CN") == "受理"
    assert [actor_in_words(actor, "en") for actor in ("customer", "agent2")] == ["customer", "agent2"]
    assert details_in_words(told, load(), "zh-CN").splitlines() == [
        "渠道：电子邮件",
        "时限：故障响应",
        "止：soon",
        "保持系统建议：否",
        "类型：故障报修",
        "原因：没有当班人员、of_a_later_version",
        "起：2026-11-23 00:30 UTC+8",
        "派工单：0193a5f0-0000-7000-8000-000000000001",
    ]


def test_no_word_is_said_twice() -> None:
    """Of two entries for one word, YAML keeps the last and says nothing."""
    for room, file in ((errors, "words.yaml"), (servicekit, "histories.yaml")):
        kinds = re.split(r"^\w+:\n", files(room).joinpath(file).read_text(encoding="utf-8"), flags=re.MULTILINE)
        for kind in kinds:
            found = re.findall(r"^  (\w+|\"\w+\"):", kind, flags=re.MULTILINE)
            assert sorted(found) == sorted(set(found))


def test_every_role_has_a_word() -> None:
    assert not ROLES - words()["role"].keys()


@pytest.mark.parametrize("kind", ["state", "action", "role"])
def test_every_word_exists_in_each_language(kind: str) -> None:
    assert all(set(entry) == set(LANGUAGES) and all(entry.values()) for entry in words()[kind].values())


def test_a_word_that_is_not_there_is_shown_as_it_is() -> None:
    assert in_words("state", "HANDLING", "zh-CN") == "处理中"
    assert in_words("state", "dreaming", "en") == "dreaming"
    assert in_words("region", "handling", "en") == "handling"


def history_sources() -> Iterator[ast.Module]:
    """The services whose histories people read."""
    for service in ("intake", "complaints"):
        for source in (SERVICES / service / service).rglob("*.py"):
            yield ast.parse(source.read_text(encoding="utf-8"))


def happenings(tree: ast.Module) -> Iterator[str]:
    """`happened="…"`, `happened = "…"`, and what is handed over where `happened` stands."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="happened", value=value):
                yield from literals(value)
            case ast.Assign(targets=[ast.Name(id="happened")], value=value):
                yield from literals(value)
            case ast.Call(args=arguments) if ast.unparse(node.func) in PLACES:
                place = PLACES[ast.unparse(node.func)]
                yield from (word for argument in arguments[place : place + 1] for word in literals(argument))


# Calls that take what happened at a fixed place.
PLACES = {"noted": 1, "Step": 1, "_note": 2, "improvements.step_of": 2}


def details(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "details" and isinstance(node.value, ast.Dict | ast.BinOp):
            yield from keys(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(target) == "details":
                yield from keys(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"noted", "_note"}:
            yield from (keyword.arg for keyword in node.keywords if keyword.arg)


def keys(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            yield from (key.value for key in each.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to; what a condition asks is none of them."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from literals(node.body)
            yield from literals(node.orelse)
