"""Every rule that our contracts use can be told to a person in both languages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import bihuan
import pytest
from bihuan.dispatch.v1 import work_orders_pb2
from bihuan.intake.v1 import cases_pb2
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor
from servicekit.errors import Fault
from servicekit.errors.violations import pattern_texts, violation_text, violation_texts
from servicekit.languages import LANGUAGES
from servicekit.rpc.interceptors.validation import Validation


def _messages() -> Iterator[Descriptor]:
    """The messages of every contract that there is."""
    for module in pkgutil.walk_packages(bihuan.__path__, "bihuan."):
        if module.name.endswith("_pb2"):
            yield from importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values()


def _used_rules(message: Descriptor) -> set[str]:
    rules = {rule.id for rule in message.GetOptions().Extensions[validate_pb2.message].cel}
    for field in message.fields:
        wanted = field.GetOptions().Extensions[validate_pb2.field]
        if wanted.required:
            rules.add("required")
        rules |= _rules_of(wanted)
    return rules


def _rules_of(wanted: validate_pb2.FieldRules) -> set[str]:
    kind = wanted.WhichOneof("type")
    if not kind:
        return set()
    rules = {f"{kind}.{rule.name}" for rule, _ in getattr(wanted, kind).ListFields()}
    # What holds for each entry of a list is broken, and told, as a rule of the entry.
    return rules if kind != "repeated" else rules - {"repeated.items"} | _rules_of(wanted.repeated.items)


def test_every_rule_in_the_contracts_has_its_text() -> None:
    used: set[str] = set()
    for message in _messages():
        used |= _used_rules(message)
    assert len(used) > 8
    used.discard("string.pattern")  # told by the pattern, see below
    texts = violation_texts()
    assert [rule for rule in used if rule not in texts and f"*.{rule.split('.')[-1]}" not in texts] == []


def _used_patterns(message: Descriptor) -> set[str]:
    rules = [field.GetOptions().Extensions[validate_pb2.field] for field in message.fields]
    texts = [(wanted.repeated.items if wanted.WhichOneof("type") == "repeated" else wanted).string for wanted in rules]
    return {text.pattern for text in texts if text.HasField("pattern")}


def test_every_pattern_in_the_contracts_is_told_as_a_sentence_and_none_is_told_for_nothing() -> None:
    used: set[str] = set()
    for message in _messages():
        used |= _used_patterns(message)
    assert set(pattern_texts()) == used
    for pattern, text in pattern_texts().items():
        assert set(text) == set(LANGUAGES), pattern
        for language in LANGUAGES:
            assert violation_text("string.pattern", language, pattern) == text[language]
            assert not set("^$\\") & set(text[language]), pattern


def test_the_ends_of_a_range_are_told() -> None:
    with pytest.raises(Fault) as refused:
        Validation().require_valid(cases_pb2.AnswerSurveyRequest(case="2611-0042-7315", score=9), "en")
    assert refused.value.violations[0].message == "must lie within 1 … 5"


def test_texts_speak_both_languages_and_show_the_same() -> None:
    for rule, text in violation_texts().items():
        assert set(text) == set(LANGUAGES), rule
        assert len({"{limit}" in part for part in text.values()}) == 1, rule


def test_limits_are_shown_and_an_unknown_rule_still_has_a_text() -> None:
    assert violation_text("string.max_len", "zh-CN", 200) == "最多 200 个字符"
    assert violation_text("string.in", "en", ["low", "high"]) == "must be one of low, high"
    assert violation_text("uint32.lte", "en", 5) == "must be at most 5"
    assert violation_text("map.invented", "zh-CN", 5) == "不符合接口要求"


@pytest.mark.parametrize("quantity", [0, 10_001])
def test_paths_name_the_place_in_lists(quantity: int) -> None:
    parts = [work_orders_pb2.PartUsed(part="ONT", quantity=1), work_orders_pb2.PartUsed(part="x", quantity=quantity)]
    report = work_orders_pb2.Report(found="f", done="d", parts=parts)
    with pytest.raises(Fault) as refused:
        Validation().require_valid(work_orders_pb2.CompleteWorkOrderRequest(work_order="W1", report=report), "en")
    assert refused.value.field == "report.parts[1].quantity"


def test_a_good_request_passes() -> None:
    Validation().require_valid(cases_pb2.GetCaseRequest(case="2611-0042-7315"), "en")
