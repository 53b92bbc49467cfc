"""docs/requirements.md says which tests show which requirement, and is true."""

from __future__ import annotations

from citations import AREAS, Citation, citations, cited_in, named_by, texts
from requirements_page import BEGIN, PAGE, ROOT, current, renewed, requirements

WRITTEN = """# Wanted
| id | requirement |
|---|---|
| INT-01 | One case whatever the channel: hotline, app |
| INT-02 | Case kinds; and more |
"""


def test_the_page_is_as_the_tests_cite() -> None:
    assert PAGE.read_text(encoding="utf-8") == current(), "run `make requirements`"


def test_every_cited_requirement_exists() -> None:
    known = requirements(PAGE.read_text(encoding="utf-8"))
    cited = citations(ROOT)
    assert len(known) > 70
    assert len(cited) > 100
    assert [each for each in cited if each.requirement not in known] == []
    named = {(name, each) for name, text in texts(ROOT, "*.py", "*.yaml", "*.proto") for each in cited_in(text)}
    assert sorted((name, each) for name, each in named if each not in known) == []


def test_the_ids_of_every_area_are_looked_for() -> None:
    areas = {requirement.partition("-")[0] for requirement in requirements(PAGE.read_text(encoding="utf-8"))}
    assert areas == set(AREAS), "AREAS in tests/requirements/citations.py"


def test_ids_are_found_in_names_texts_and_ranges() -> None:
    assert list(named_by("test_int07_no_clock_is_lost")) == ["INT-07"]
    assert list(named_by("test_trn_05_learned")) == ["TRN-05"]
    assert list(named_by("test_integers_are_read")) == []
    assert list(cited_in("a whole way (CMP-01 to CMP-03), also TRN-04..05 and DSP-02.")) == [
        *("CMP-01", "CMP-02", "CMP-03"),
        *("TRN-04", "TRN-05"),
        "DSP-02",
    ]
    assert list(cited_in("INT-077, PRINT-07")) == []


def test_what_is_shown_and_what_is_open_are_told_apart() -> None:
    cited = [
        Citation("INT-01", "tests/test_b.py", "test_app"),
        Citation("INT-01", "tests/test_a.py", ""),
        Citation("INT-01", "tests/test_b.py", "test_counter"),
    ]
    page = renewed(f"{WRITTEN}\n{BEGIN}\nwhat was true yesterday\n", cited)
    assert page.startswith(WRITTEN)
    assert "yesterday" not in page
    assert "\n- INT-02 Case kinds\n" in page
    assert page.endswith(
        "\n| INT-01 | [tests/test_a.py](../tests/test_a.py)"
        "<br>[tests/test_b.py](../tests/test_b.py) ::test_app ::test_counter |\n"
    )
    assert renewed(page, cited) == page
