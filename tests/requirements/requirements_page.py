"""docs/requirements.md: its end is made from the citations; the requirements themselves are written by people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from citations import Citation, citations

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "requirements.md"
BEGIN = "<!-- From here on the page is made by `make requirements`. -->"
_REQUIREMENT = re.compile(r"^\| ([A-Z]{3}-\d\d) \| ([^|]+) \|", re.MULTILINE)
# What a requirement is called where its text would be too long: up to its first pause.
_PAUSE = re.compile(r"[:;,(—]|\. ")


def requirements(page: str) -> dict[str, str]:
    """The text of every requirement that the page defines, by its id."""
    return {requirement: text.strip() for requirement, text in _REQUIREMENT.findall(page.partition(BEGIN)[0])}


def renewed(page: str, cited: Iterable[Citation]) -> str:
    """The page with its end as the citations have it."""
    written = page.partition(BEGIN)[0].rstrip()
    return "\n".join([written, "", BEGIN, *_made(requirements(page), cited), ""])


def current() -> str:
    """The whole page as it should be now."""
    return renewed(PAGE.read_text(encoding="utf-8"), citations(ROOT))


def _made(wanted: Mapping[str, str], cited: Iterable[Citation]) -> Iterator[str]:
    shown_by = {requirement: list(each) for requirement, each in groupby(sorted(cited), lambda each: each.requirement)}
    still_open = [requirement for requirement in wanted if requirement not in shown_by]
    yield "## What shows it"
    shown = len(wanted) - len(still_open)
    yield f"Tests cite {shown} of the {len(wanted)} requirements. A test shows what its name says,"
    yield "often only a part of the line. A file stands for all of its tests, or for those named behind it."
    if still_open:
        yield ""
        yield f"**Open: no test shows anything of these {len(still_open)}.**"
        yield ""
        yield from (f"- {requirement} {_PAUSE.split(wanted[requirement])[0].strip()}" for requirement in still_open)
    yield ""
    yield "| id | tests |"
    yield "|---|---|"
    for requirement in wanted:
        if requirement in shown_by:
            yield f"| {requirement} | {'<br>'.join(_places(shown_by[requirement]))} |"


def _places(cited: Iterable[Citation]) -> Iterator[str]:
    """Where a requirement is cited: each file with a link, and those of its tests that cite it themselves."""
    for file, each in groupby(cited, lambda one: one.file):
        tests = [one.test for one in each if one.test]
        names = "".join(f" ::{test}" for test in tests)
        yield f"[{file}](../{file}){names}"
