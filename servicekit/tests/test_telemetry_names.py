"""Telemetry names are a contract in one file: each is used, and nothing else is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from servicekit.telemetry import names

ROOT = Path(__file__).parents[2]
DECLARED = {name: value for name, value in vars(names).items() if name.isupper()}
# The functions of OpenTelemetry whose first argument is a name, and those that take attributes.
NAMING = {
    "start_as_current_span", "start_span", "set_attribute", "create_gauge", "create_counter", "create_histogram",
    "create_up_down_counter", "create_observable_gauge",
}  # fmt: skip
MEASURING = {"add", "record", "set", "set_attributes", *NAMING}


def sources() -> list[Path]:
    """Every module of ours that runs, but the file of names itself."""
    folders = [ROOT / name for name in ("servicekit/servicekit", "gateway/gateway", "bihuanctl/bihuanctl", "services")]
    found = [path for folder in folders for path in folder.rglob("*.py")]
    return [path for path in found if "tests" not in path.parts and path != Path(names.__file__)]


def test_names_are_unique_and_documented() -> None:
    text = Path(names.__file__).read_text(encoding="utf-8")
    assert len(set(DECLARED.values())) == len(DECLARED)
    for name, value in DECLARED.items():
        assert f'{name}: Final = "{value}"\n"""' in text, name


def test_every_name_is_used() -> None:
    used = {
        node.attr
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "names"
    }
    assert used >= DECLARED.keys()


def literal_names(path: Path) -> Iterator[tuple[int, str]]:
    """Names that a module gives to telemetry by itself: a text as span, metric or attribute name."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        given = call.args[:1] if call.func.attr in NAMING else []
        if call.func.attr in MEASURING:
            keyed = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "attributes")]
            given += [key for value in keyed if isinstance(value, ast.Dict) for key in value.keys if key]
        for node in given:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value


def test_no_other_name_is_used() -> None:
    found = {str(path.relative_to(ROOT)): list(literal_names(path)) for path in sources()}
    assert {path: given for path, given in found.items() if given} == {}
