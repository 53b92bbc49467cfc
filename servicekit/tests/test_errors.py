"""Faults and their catalogue: complete in both languages, readable, safe to pass on (GWY-01)."""

from __future__ import annotations

import ast
import copy
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault, FieldViolation, definitions
from servicekit.errors.catalogue import parse
from servicekit.languages import LANGUAGES, negotiate

TREE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("code", sorted(definitions()))
def test_every_code_speaks_both_languages_with_the_same_parameters(code: str) -> None:
    entry = definitions()[code]
    assert set(entry.texts) == set(LANGUAGES)
    assert entry.texts["en"].places == entry.texts["zh-CN"].places
    assert any("\u4e00" <= letter <= "\u9fff" for letter in entry.texts["zh-CN"].title)
    assert entry.texts["en"].title.isascii()


def _raised_in_the_tree() -> list[tuple[str, ast.Call]]:
    return [
        (str(path.relative_to(TREE)), node)
        for path in TREE.rglob("*.py")
        if not {".venv", "gen", "build", "tests"} & set(path.relative_to(TREE).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault"
    ]


def test_every_fault_raised_in_the_tree_is_in_the_catalogue_with_its_parameters() -> None:
    wrong = []
    for path, call in _raised_in_the_tree():
        code = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        given_names = {keyword.arg for keyword in call.keywords}
        if code is None or None in given_names:
            continue  # chosen at run time: there it raises KeyError
        if code not in definitions():
            wrong.append(f"{path}:{call.lineno}: unknown code {code}")
        elif missing := definitions()[code].places - given_names:
            wrong.append(f"{path}:{call.lineno}: {code} needs {', '.join(sorted(missing))}")
    assert not wrong, "\n".join(wrong)


def test_an_unknown_code_is_found_when_it_is_raised() -> None:
    with pytest.raises(KeyError):
        Fault("no_such_code")


def test_text_is_filled_in_the_readers_language() -> None:
    fault = Fault("kind_unknown", field="kind", kind="teleport")
    assert "teleport" in fault.text("en").detail
    assert "teleport" in fault.text("zh-CN").detail
    assert str(fault) == "kind_unknown (field=kind, kind=teleport)"


def test_a_missing_parameter_never_breaks_the_text() -> None:
    assert "…" in Fault("kind_unknown").text("en").detail


def test_parameters_become_text() -> None:
    fault = Fault("internal", trace_id=None, count=3, sure=True, at=datetime(2026, 11, 1, tzinfo=UTC))
    assert fault.params == {"trace_id": "", "count": "3", "sure": "true", "at": "2026-11-01T00:00:00+00:00"}


@given(st.text(), st.dictionaries(st.sampled_from(["case", "kind"]), st.text()))
def test_no_parameter_value_can_break_or_nest(field: str, params: dict[str, str]) -> None:
    text = Fault("case_unknown", field=field, **params).text("zh-CN")
    assert (params.get("case") or "…") in text.detail


def test_a_fault_survives_copying_and_pickling() -> None:
    fault = Fault.of_violations([FieldViolation("caller.phone", "string.pattern", "form")])
    for twin in (copy.copy(fault), pickle.loads(pickle.dumps(fault))):
        assert (twin.code, twin.field, twin.violations) == (fault.code, "caller.phone", fault.violations)


def test_a_violation_of_the_whole_request_leaves_the_field_to_those_that_name_one() -> None:
    whole = FieldViolation("", "caller_known", "form")
    assert Fault.of_violations([whole, FieldViolation("caller", "required", "form")]).field == "caller"
    fault = Fault.of_violations([whole])
    assert (fault.field, fault.text("en").detail) == (None, "Something about the request is not as it must be.")


_TEXT = {"title": "t", "detail": "d", "next_step": "n"}
_GOOD = {"grpc": "NOT_FOUND", "http": 404, "en": _TEXT, "zh-CN": _TEXT}


@pytest.mark.parametrize(
    ("code", "change", "problem"),
    [
        ("BadCode", {}, "snake_case"),
        ("some_code", {"grpc": "GONE"}, "grpc must be"),
        ("some_code", {"http": 200}, "http must be"),
        ("some_code", {"color": "red"}, "unknown color"),
        ("some_code", {"en": {"title": "t"}}, "en needs exactly"),
        ("some_code", {"en": {**_TEXT, "detail": " "}}, "en.detail must be"),
        ("some_code", {"en": {**_TEXT, "detail": "{case}"}}, "different parameters"),
        ("some_code", {"zh-CN": None}, "zh-CN needs exactly"),
    ],
)
def test_a_wrong_catalogue_entry_is_refused_by_name(code: str, change: dict[str, object], problem: str) -> None:
    assert parse({"some_code": _GOOD})
    with pytest.raises(ValueError, match=problem) as refused:
        parse({code: {**_GOOD, **change}})
    assert str(refused.value).startswith(code)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-US,en;q=0.9", "en"),
        ("zh", "zh-CN"),
        ("zh-TW;q=0.4, en;q=0.8", "en"),
        ("fr, de", None),
        ("", None),
        ("en;q=0, zh;q=0.1", "zh-CN"),
        ("en;q=abc", None),
        ("en_US", "en"),
        ("*", None),
    ],
)
def test_the_best_of_our_languages_is_chosen(header: str, language: str | None) -> None:
    assert negotiate(header) == language
