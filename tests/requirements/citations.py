"""Which requirements the tests cite, and where: in the name, the docstring or the body of a test, or of its module.

A range counts as each of its ids: `CMP-01 to CMP-08`, `TRN-01..05`.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What the ids of requirements begin with; other words look like ids too.
AREAS = ("INT", "DSP", "CMP", "REC", "TRN", "QLT", "GWY", "TRC")
_AREA = "|".join(AREAS)
_CITED = re.compile(rf"\b(?P<area>{_AREA})-(?P<first>\d\d)(?:(?:\.\.| to )(?:(?P=area)-)?(?P<last>\d\d))?\b")
_NAMED = re.compile(rf"^test_(?P<area>{_AREA})_?(?P<first>\d\d)_", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Citation:
    """One requirement, cited by one test, or by a file for all of its tests.

    Attributes:
        requirement: Its id, `INT-07`.
        file: The file's path in the tree.
        test: Name of the test; empty for the file.
    """

    requirement: str
    file: str
    test: str


def citations(root: Path) -> list[Citation]:
    """Every citation by a test of the tree, sorted."""
    return sorted({each for name, source in texts(root, "*/test_*.py") for each in _of_file(name, source)})


def texts(root: Path, *patterns: str) -> Iterator[tuple[str, str]]:
    """Path and content of the tree's files; not of this folder's, which name requirements as examples."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns, ":!tests/requirements"]
    names = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if (root / name).is_file():
            yield name, (root / name).read_text(encoding="utf-8")


def _of_file(file: str, source: str) -> Iterator[Citation]:
    module = ast.parse(source)
    for requirement in cited_in(ast.get_docstring(module) or ""):
        yield Citation(requirement, file, "")
    for part in module.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name.startswith("test_"):
            for requirement in {*named_by(part.name), *cited_in(ast.get_source_segment(source, part) or "")}:
                yield Citation(requirement, file, part.name)


def cited_in(text: str) -> Iterator[str]:
    """The ids in a text, each of a range."""
    for found in _CITED.finditer(text):
        for number in range(int(found["first"]), int(found["last"] or found["first"]) + 1):
            yield f"{found['area']}-{number:02d}"


def named_by(test: str) -> Iterator[str]:
    """The id that a test is named after: `test_int07_…`, `test_trn_05_…`."""
    if found := _NAMED.match(test):
        yield f"{found['area'].upper()}-{found['first']}"
