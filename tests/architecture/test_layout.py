"""How the tree is laid out: small files with telling names, a page for everything that is installed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 400
# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "tools", "service_base"}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files of the repository: what git knows, or will know, and what is still there."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def modules(tracked: list[Path]) -> list[Path]:
    return [file for file in tracked if file.suffix == ".py"]


def test_no_module_is_longer_than_can_be_read_at_once(modules: list[Path]) -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in modules}
    assert {_name(file): length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_says_by_its_name_what_is_inside(modules: list[Path]) -> None:
    parts = {file: set(file.relative_to(ROOT).with_suffix("").parts) for file in modules}
    assert [_name(file) for file, names in parts.items() if names & EMPTY_NAMES] == []


def test_every_module_begins_with_what_it_is(modules: list[Path]) -> None:
    silent = [
        _name(file)
        for file in modules
        if (text := file.read_text(encoding="utf-8")).strip() and not text.startswith(('"""', "#!", "from alembic"))
    ]
    assert silent == []


def test_nothing_is_left_unfinished(modules: list[Path]) -> None:
    found = [_name(file) for file in modules if UNFINISHED.search(file.read_text(encoding="utf-8"))]
    assert found == [_name(Path(__file__))], "only this file may name the words"


def test_no_yaml_file_says_the_same_thing_twice(tracked: list[Path]) -> None:
    """YAML lets the last of two equal keys win in silence."""
    repeated = [
        f"{_name(file)}:{key.start_mark.line + 1}: {key.value}"
        for file in tracked
        if file.suffix in {".yaml", ".yml"}
        for document in yaml.compose_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for key in _repeated_keys(document)
    ]
    assert repeated == []


def _repeated_keys(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def test_everything_installed_has_a_page(tracked: list[Path]) -> None:
    distributions = [file.parent for file in tracked if file.name == "pyproject.toml" and file.parent != ROOT]
    assert len(distributions) > 5
    without = [_name(folder) for folder in distributions if not (folder / "README.md").is_file()]
    assert not without, f"no README.md in {', '.join(without)}"


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()
