"""Bad data fails with file, line and reason."""

from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from standards.documents import read_document
from standards.standard_set import Contents
from standards.values import Duration

from standards import StandardsError, load

DATA = Path(__file__).parents[1] / "data"
FILES = sorted(path.stem for path in DATA.glob("*.yaml"))

MISTAKES = [
    ("clocks", "limit: PT4H", "limit: 4 hours", "'4 hours' is not an ISO-8601 duration"),
    ("clocks", "limit: PT4H", "limit: -PT4H", "is not an ISO-8601 duration"),
    ("clocks", "limit: PT4H", "limit: P1M", "is not an ISO-8601 duration"),
    ("clocks", "limit: PT4H", "limit: PT0S", "longer than zero"),
    ("clocks", "limit: PT4H", "limit: 4", "is not an ISO-8601 duration"),
    ("clocks", "calendar: working_days", "calendar: weekends", "always"),
    ("clocks", "warn_at: [50, 80]", "warn_at: [80, 50]", "must rise"),
    ("clocks", "warn_at: [50, 80]", "warn_at: [50, 180]", "less than 100"),
    ("clocks", "timer: true", "timer: often", "valid boolean"),
    ("clocks", "strictness: regulatory", "strictness: regulatory\n    timer: true", "a regulatory limit is no timer"),
    ("clocks", "applies_to: [fault_repair]", "applies_to: [fault_repairs]", "unknown kind fault_repairs"),
    ("clocks", "source: A4.1 A1.2", "source: Z4.1", "unknown source Z"),
    ("clocks", "source: A4.1 A1.2", "source: page 12", "'page' is not a clause"),
    ("clocks", "en: Response to a fault}", "fr: Panne}", ""),
    ("clocks", "  ordinary_response:", "  fault_response:", "fault_response is there twice"),
    ("clocks", "strictness: promise", "strictness: strict", "regulatory"),
    ("clocks", "note: A2.4.1 asks for it at the end and gives no figure.", "note: ' '", "at least 1 character"),
    ("classes", ", en: Inquiry}", "}", "the text in en is missing"),
    ("classes", "zh-CN: 咨询, ", "", "the text in zh-CN is missing"),
    ("classes", "response_clock: ordinary_response", "response_clock: soon", "unknown clock soon"),
    ("classes", "usual_share: 60", "usual_share: -60", "greater than or equal to 0"),
    ("classes", "priority: 4", "priority: 9", "less than or equal to 5"),
    ("keywords", "kind: fault_repair", "kind: repair_fault", "unknown kind repair_fault"),
    ("keywords", "category: internet_access", "category: internet", "unknown category internet"),
    ("keywords", "urgency: critical", "urgency: panic", "unknown urgency panic"),
    ("keywords", "    kind: fault_repair\n", "", "must propose"),
    ("keywords", "weight: 3", "weight: 0", "greater than 0"),
    ("levels", "response_clock: emergency_level_1", "response_clock: level_1", "unknown clock level_1"),
    ("levels", "rank: 1", "rank: first", "integer"),
    ("levels", "emergency: level_1", "emergency: level_9", "unknown emergency level level_9"),
    ("levels", "commander: headquarters", "commander: anybody", "staff_on_duty"),
    ("classes", "incident_kind: performance", "incident_kind: weather", "unknown incident kind weather"),
    ("skills", "skill: voice_line", "skill: telephony", "unknown skill telephony"),
    ("skills", "level: middle", "level: expert", "unknown level expert"),
    ("skills", "  voice: {skill", "  telex: {skill", "unknown category telex"),
    ("regions", "  cn.gd.gz: {", "  cn.gx.gz: {", "unknown region above it: cn.gx"),
    ("regions", "duty_owner: duty, ", "", "Field required"),
    ("calendars", 'opens: "09:00"', 'opens: "19:00"', "opens must be before closes"),
    ("calendars", "  always: {", "  sometimes: {", "always"),
    ("calendars", "years: {}", "years: {2027: {holidays: [2026-01-01], source: D}}", "2026-01-01 is not in 2027"),
    ("scorecards", "satisfaction: 30", "satisfaction: 31", "the weights sum to 101, not 100"),
    ("scorecards", "satisfaction: 30", "satisfaction: -30", "greater than 0"),
    ("retention", "years: 5", "years: 0", "greater than or equal to 1"),
    ("retention", "grade: sensitive", "grade: secret", "unknown grade secret"),
    ("targets", "value: 92, strictness: promise", "value: 99, strictness: promise", "must not be easier"),
    ("targets", "value: 92, strictness: promise", "value: 92, strictness: internal", "each at most once"),
    ("targets", "unit: percent", "unit: per mille", "percent"),
    ("thresholds", "length: P7D", "length: a week", "is not an ISO-8601 duration"),
    ("stages", "by {promised_by}", "by {promise_date}", "unknown place {promise_date}"),
    ("stages", "by {promised_by}.", "soon.", "the languages must use the same places"),
    ("manifest", 'version: "2025.1"', "version: ''", "at least 1 character"),
    ("manifest", "  B: {zh-CN", "  X: {zh-CN", "unknown source B"),
]


@pytest.mark.parametrize(("file", "old", "new", "reason"), MISTAKES)
def test_a_mistake_is_named_with_file_line_and_reason(broken_copy, file, old, new, reason):
    line = 1 + (DATA / f"{file}.yaml").read_text(encoding="utf-8").split(old, 1)[0].count("\n")
    with pytest.raises(StandardsError) as caught:
        load(broken_copy(file, old, new))
    error = caught.value
    assert reason in error.reason
    if reason.startswith("unknown source B"):
        return  # found wherever the source is used
    assert error.file == f"{file}.yaml"
    # The line of the mistake, or the one that the entry around it begins on.
    assert 0 <= line - error.line <= 12
    assert str(error) == f"{error.file}:{error.line}: {error.reason}"


def test_the_exact_line_of_a_value(broken_copy):
    folder = broken_copy("clocks", "limit: PT4H", "limit: soon")
    text = (folder / "clocks.yaml").read_text(encoding="utf-8")
    with pytest.raises(StandardsError) as caught:
        load(folder)
    assert text.splitlines()[caught.value.line - 1].strip() == "limit: soon"
    assert caught.value.reason.startswith("clocks.fault_response.limit: ")


@pytest.mark.parametrize("file", FILES)
def test_every_file_must_be_there(broken_copy, file):
    folder = broken_copy(file, "effective_from", "effective_from")
    (folder / f"{file}.yaml").unlink()
    with pytest.raises(StandardsError, match=f"{file}.yaml:1: the file is missing"):
        load(folder)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", ["", "[]", "a: [", "just text", "effective_from: soon", "a: !odd b", "a: \x00"])
def test_a_file_that_is_something_else(broken_copy, file, content):
    folder = broken_copy(file, "effective_from", "effective_from")
    (folder / f"{file}.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(StandardsError) as caught:
        load(folder)
    assert caught.value.file == f"{file}.yaml"
    assert caught.value.line >= 1


def test_a_file_in_another_encoding(broken_copy):
    folder = broken_copy("clocks", "effective_from", "effective_from")
    (folder / "clocks.yaml").write_bytes("说明: 时限".encode("gb18030"))
    with pytest.raises(StandardsError, match="not UTF-8"):
        load(folder)


def _entries():
    for file in FILES:
        if file == "manifest":
            continue
        for section, entries in read_document(DATA / f"{file}.yaml").content.items():
            if isinstance(entries, dict):
                yield from ((file, section, name) for name in entries)


ENTRIES = tuple(_entries())


@pytest.mark.parametrize(("change", "kind"), [("without", "missing"), ("unknown", "extra_forbidden")])
@pytest.mark.parametrize("file", sorted({file for file, _, _ in ENTRIES}))
def test_every_entry_needs_its_source_and_knows_no_other_words(file, change, kind, tmp_path):
    """Every entry of the file at once, without its source or with an unknown word: each is refused by name."""
    content = read_document(DATA / f"{file}.yaml").content
    changed = {(section, name) for owner, section, name in ENTRIES if owner == file}
    for section, name in changed:
        if change == "without":
            del content[section][name]["source"]
        else:
            content[section][name]["colour"] = "red"
    path = tmp_path / f"{file}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    document = read_document(path)
    with pytest.raises(ValidationError) as caught:
        get_type_hints(Contents)[file].model_validate(document.content)
    refused = [error for error in caught.value.errors(include_url=False) if error["type"] == kind]
    assert {error["loc"][:2] for error in refused} == changed
    lines = path.read_text(encoding="utf-8").splitlines()
    for error in refused:
        named = document.error(error["loc"], error["msg"])
        assert named.reason.startswith(".".join(error["loc"][:2]))
        assert (error["loc"][1] if change == "without" else "colour") in lines[named.line - 1]


DURATIONS = st.text(alphabet="PTDHMSW-+.0123456789 ", max_size=12)


@settings(max_examples=300)
@given(DURATIONS)
def test_a_duration_is_positive_or_refused(text):
    try:
        length = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        return
    assert length.total_seconds() > 0
    assert text.startswith("P")
